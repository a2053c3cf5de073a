// A small operator, and its test suite as kubebuilder would have it: a CustomResourceDefinition, admission webhooks, a
// finalizer, owned objects, a status, leader election, a conversion webhook. It runs against whatever KUBEBUILDER_ASSETS holds.
package operator

import (
	"context"
	"net"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes/scheme"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"
	"sigs.k8s.io/controller-runtime/pkg/webhook"
)

const patience = 30 * time.Second

func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if holds() {
			return
		}
	}
	t.Fatalf("in vain: %s", what)
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func startManager(t *testing.T) (client.Client, context.Context) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	must(t, AddToScheme(scheme.Scheme))
	environment := &envtest.Environment{
		// Types that can be converted have envtest ask for it in their definitions.
		Scheme:                scheme.Scheme,
		CRDDirectoryPaths:     []string{"crds"},
		ErrorIfCRDPathMissing: true,
		WebhookInstallOptions: envtest.WebhookInstallOptions{Paths: []string{filepath.Join("config", "webhooks.yaml")}},
	}
	// Flags that suites give the API server, some of which change nothing here.
	arguments := environment.ControlPlane.GetAPIServer().Configure()
	arguments.Append("feature-gates", "ImageVolume=true").Append("runtime-config", "api/all=true")
	arguments.Set("enable-admission-plugins", "AlwaysPullImages").Set("storage-media-type", "application/json")
	began := time.Now()
	config, err := environment.Start()
	must(t, err)
	t.Logf("the control plane was ready after %s", time.Since(began).Round(time.Millisecond))
	t.Cleanup(func() {
		cancel()
		must(t, environment.Stop())
	})
	hooks := environment.WebhookInstallOptions
	manager, err := ctrl.NewManager(config, ctrl.Options{
		Scheme:                  scheme.Scheme,
		Metrics:                 metricsserver.Options{BindAddress: "0"},
		LeaderElection:          true,
		LeaderElectionID:        "boats.example.dinghy.dev",
		LeaderElectionNamespace: "default",
		WebhookServer: webhook.NewServer(webhook.Options{
			Host: hooks.LocalServingHost, Port: hooks.LocalServingPort, CertDir: hooks.LocalServingCertDir,
		}),
	})
	must(t, err)
	must(t, (&BoatReconciler{Client: manager.GetClient()}).SetupWithManager(manager))
	must(t, SetupWebhooks(manager))
	go func() {
		if err := manager.Start(ctx); err != nil {
			t.Errorf("the manager ended: %v", err)
		}
	}()
	eventually(t, "the manager leads", func() bool {
		select {
		case <-manager.Elected():
			return true
		default:
			return false
		}
	})
	eventually(t, "webhooks are served", func() bool {
		address := net.JoinHostPort(hooks.LocalServingHost, strconv.Itoa(hooks.LocalServingPort))
		connection, err := net.DialTimeout("tcp", address, time.Second)
		if err == nil {
			connection.Close()
		}
		return err == nil
	})
	direct, err := client.New(config, client.Options{Scheme: scheme.Scheme})
	must(t, err)
	return direct, ctx
}

func TestOperator(t *testing.T) {
	api, ctx := startManager(t)
	key := client.ObjectKey{Namespace: "default", Name: "jolly"}
	boat := &Boat{ObjectMeta: metav1.ObjectMeta{Namespace: key.Namespace, Name: key.Name}, Spec: BoatSpec{Seats: 4}}

	t.Run("the validating webhook refuses", func(t *testing.T) {
		crowded := boat.DeepCopy()
		crowded.Spec.Seats = 99
		err := api.Create(ctx, crowded)
		if err == nil || !strings.Contains(err.Error(), `admission webhook "vboat.dinghy.dev" denied the request: a boat has at most 12 seats`) {
			t.Fatalf("got %v", err)
		}
	})

	t.Run("the schema refuses", func(t *testing.T) {
		sunk := boat.DeepCopy()
		sunk.Spec.Seats = -1
		if err := api.Create(ctx, sunk); !errors.IsInvalid(err) {
			t.Fatalf("got %v", err)
		}
	})

	t.Run("the mutating webhook fills in", func(t *testing.T) {
		must(t, api.Create(ctx, boat))
		if boat.Spec.Colour != "white" {
			t.Fatalf("the colour is %q", boat.Spec.Colour)
		}
	})

	t.Run("it is reconciled", func(t *testing.T) {
		eventually(t, "the boat floats", func() bool {
			must(t, api.Get(ctx, key, boat))
			return boat.Status.Phase == "Afloat" && len(boat.Finalizers) == 1
		})
		var log corev1.ConfigMap
		must(t, api.Get(ctx, client.ObjectKey{Namespace: "default", Name: "jolly-log"}, &log))
		if !metav1.IsControlledBy(&log, boat) || log.Data["seats"] != "4" {
			t.Fatalf("the log is %v of %v", log.Data, log.OwnerReferences)
		}
	})

	t.Run("changes are followed", func(t *testing.T) {
		patch := client.MergeFrom(boat.DeepCopy())
		boat.Spec.Seats = 6
		must(t, api.Patch(ctx, boat, patch))
		eventually(t, "the log follows", func() bool {
			var log corev1.ConfigMap
			must(t, api.Get(ctx, client.ObjectKey{Namespace: "default", Name: "jolly-log"}, &log))
			return log.Data["seats"] == "6"
		})
	})

	t.Run("it is converted", func(t *testing.T) {
		var old OldBoat
		must(t, api.Get(ctx, key, &old))
		if old.Spec.Capacity != 6 || old.Status.Phase != "Afloat" {
			t.Fatalf("got %+v", old)
		}
		raft := &OldBoat{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "raft"}, Spec: OldBoatSpec{Capacity: 2}}
		must(t, api.Create(ctx, raft))
		eventually(t, "the raft floats", func() bool {
			var boat Boat
			must(t, api.Get(ctx, client.ObjectKeyFromObject(raft), &boat))
			return boat.Spec.Seats == 2 && boat.Status.Phase == "Afloat"
		})
		var list OldBoatList
		must(t, api.List(ctx, &list, client.InNamespace("default")))
		if len(list.Items) != 2 || list.Items[1].Spec.Capacity != 2 {
			t.Fatalf("got %+v", list.Items)
		}
	})

	t.Run("it is finalized", func(t *testing.T) {
		must(t, api.Delete(ctx, boat))
		eventually(t, "the boat is gone", func() bool { return errors.IsNotFound(api.Get(ctx, key, boat)) })
		var log corev1.ConfigMap
		if err := api.Get(ctx, client.ObjectKey{Namespace: "default", Name: "jolly-log"}, &log); !errors.IsNotFound(err) {
			t.Fatalf("the log stayed: %v", err)
		}
	})
}
