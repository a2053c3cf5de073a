package operator

import (
	"context"
	"fmt"
	"strconv"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"
	"sigs.k8s.io/controller-runtime/pkg/webhook/admission"
)

var groupVersion = schema.GroupVersion{Group: "example.dinghy.dev", Version: "v1"}

const finalizer = "example.dinghy.dev/moored"
const mostSeats = 12

type BoatSpec struct {
	Seats  int32  `json:"seats"`
	Colour string `json:"colour,omitempty"`
}

type BoatStatus struct {
	Phase string `json:"phase,omitempty"`
}

type Boat struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`
	Spec              BoatSpec   `json:"spec"`
	Status            BoatStatus `json:"status,omitempty"`
}

type BoatList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []Boat `json:"items"`
}

func (b *Boat) DeepCopy() *Boat {
	out := *b
	b.ObjectMeta.DeepCopyInto(&out.ObjectMeta)
	return &out
}

func (b *Boat) DeepCopyObject() runtime.Object { return b.DeepCopy() }

func (l *BoatList) DeepCopyObject() runtime.Object {
	out := *l
	out.Items = make([]Boat, len(l.Items))
	for i := range l.Items {
		out.Items[i] = *l.Items[i].DeepCopy()
	}
	return &out
}

func AddToScheme(s *runtime.Scheme) error {
	s.AddKnownTypes(groupVersion, &Boat{}, &BoatList{})
	metav1.AddToGroupVersion(s, groupVersion)
	addOldToScheme(s)
	return nil
}

// BoatReconciler keeps a ConfigMap for each boat, and takes it away with the boat: no garbage collector runs in envtest.
type BoatReconciler struct{ client.Client }

func (r *BoatReconciler) SetupWithManager(manager ctrl.Manager) error {
	return ctrl.NewControllerManagedBy(manager).For(&Boat{}).Owns(&corev1.ConfigMap{}).Complete(r)
}

func (r *BoatReconciler) Reconcile(ctx context.Context, request ctrl.Request) (ctrl.Result, error) {
	var boat Boat
	if err := r.Get(ctx, request.NamespacedName, &boat); err != nil {
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	log := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: boat.Namespace, Name: boat.Name + "-log"}}
	if !boat.DeletionTimestamp.IsZero() {
		if err := client.IgnoreNotFound(r.Delete(ctx, log)); err != nil {
			return ctrl.Result{}, err
		}
		if controllerutil.RemoveFinalizer(&boat, finalizer) {
			return ctrl.Result{}, r.Update(ctx, &boat)
		}
		return ctrl.Result{}, nil
	}
	if controllerutil.AddFinalizer(&boat, finalizer) {
		return ctrl.Result{}, r.Update(ctx, &boat)
	}
	_, err := controllerutil.CreateOrUpdate(ctx, r.Client, log, func() error {
		log.Data = map[string]string{"seats": strconv.Itoa(int(boat.Spec.Seats))}
		return controllerutil.SetControllerReference(&boat, log, r.Scheme())
	})
	if err != nil || boat.Status.Phase == "Afloat" {
		return ctrl.Result{}, err
	}
	before := boat.DeepCopy()
	boat.Status.Phase = "Afloat"
	return ctrl.Result{}, r.Status().Patch(ctx, &boat, client.MergeFrom(before))
}

type boatWebhook struct{}

func (boatWebhook) Default(_ context.Context, boat *Boat) error {
	if boat.Spec.Colour == "" {
		boat.Spec.Colour = "white"
	}
	return nil
}

func (boatWebhook) validate(boat *Boat) (admission.Warnings, error) {
	if boat.Spec.Seats > mostSeats {
		return nil, fmt.Errorf("a boat has at most %d seats", mostSeats)
	}
	return nil, nil
}

func (w boatWebhook) ValidateCreate(_ context.Context, boat *Boat) (admission.Warnings, error) {
	return w.validate(boat)
}

func (w boatWebhook) ValidateUpdate(_ context.Context, _, boat *Boat) (admission.Warnings, error) {
	return w.validate(boat)
}

func (boatWebhook) ValidateDelete(context.Context, *Boat) (admission.Warnings, error) {
	return nil, nil
}

func SetupWebhooks(manager ctrl.Manager) error {
	return ctrl.NewWebhookManagedBy(manager, &Boat{}).WithDefaulter(boatWebhook{}).WithValidator(boatWebhook{}).Complete()
}
