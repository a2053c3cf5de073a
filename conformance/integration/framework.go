// StartTestServer of k8s.io/kubernetes/test/integration/framework, over a server in a process of its own: the options that
// a test changes become flags. What a test changes inside of the server cannot be followed: such tests are skipped.
package framework

import (
	"context"
	"os"
	"path"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/google/uuid"

	genericapiserver "k8s.io/apiserver/pkg/server"
	client "k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/util/cert"
	"k8s.io/kubernetes/cmd/kube-apiserver/app/options"
	apiservertesting "k8s.io/kubernetes/cmd/kube-apiserver/app/testing"
	"k8s.io/kubernetes/pkg/controlplane"
	"k8s.io/kubernetes/test/utils"
)

const (
	defaultRange = "10.0.0.0/24"
	usualIssuer  = "https://foo.bar.example.com"
)

type TestServerSetup struct {
	ModifyServerRunOptions func(*options.ServerRunOptions)
	ModifyServerConfig     func(*controlplane.Config)
}

type TearDownFunc func()

func StartTestServer(ctx context.Context, t testing.TB, setup TestServerSetup) (client.Interface, *rest.Config, TearDownFunc) {
	folder, err := os.MkdirTemp("", "integration-files")
	if err != nil {
		t.Fatal(err)
	}
	wanted := options.NewServerRunOptions()
	if err := setUsual(wanted, folder); err != nil {
		t.Fatal(err)
	}
	if setup.ModifyServerRunOptions != nil {
		setup.ModifyServerRunOptions(wanted)
	}
	forget := modifyConfig(t, setup.ModifyServerConfig)
	server, err := apiservertesting.Launch(t, apiservertesting.FlagsOf(wanted), true)
	if err != nil {
		t.Fatalf("no server: %v", err)
	}
	config := rest.CopyConfig(server.Config)
	config.QPS, config.Burst = 1000, 10000
	config.CAFile, config.CAData = server.CertFile, nil
	if forget {
		config.BearerToken = ""
	}
	result, err := client.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	return result, config, func() {
		server.Stop()
		os.RemoveAll(folder)
	}
}

// setUsual is what every server of these tests has.
func setUsual(wanted *options.ServerRunOptions, folder string) error {
	key, err := apiservertesting.SigningKey(folder)
	if err != nil {
		return err
	}
	proxies, err := authorityFile(folder, "front-proxy-ca")
	if err != nil {
		return err
	}
	clients, err := authorityFile(folder, "client-ca")
	if err != nil {
		return err
	}
	wanted.SecureServing.ServerCert.CertDirectory = filepath.Join(folder, "own")
	wanted.ServiceAccountSigningKeyFile = key
	wanted.Etcd.StorageConfig.Prefix = path.Join("/", uuid.NewString(), "registry")
	wanted.Etcd.StorageConfig.Transport.ServerList = []string{GetEtcdURL()}
	wanted.ServiceClusterIPRanges = defaultRange
	headers := wanted.Authentication.RequestHeader
	headers.UsernameHeaders = []string{"X-Remote-User"}
	headers.GroupHeaders = []string{"X-Remote-Group"}
	headers.ExtraHeaderPrefixes = []string{"X-Remote-Extra-"}
	headers.AllowedNames = []string{"kube-aggregator"}
	headers.ClientCAFile = proxies
	wanted.Authentication.APIAudiences = []string{usualIssuer}
	wanted.Authentication.ServiceAccounts.Issuers = []string{usualIssuer}
	wanted.Authentication.ServiceAccounts.KeyFiles = []string{key}
	wanted.Authentication.ClientCert.ClientCA = clients
	wanted.Authorization.Modes = []string{"Node", "RBAC"}
	return nil
}

func authorityFile(folder, name string) (string, error) {
	key, err := utils.NewPrivateKey()
	if err != nil {
		return "", err
	}
	certificate, err := cert.NewSelfSignedCACert(cert.Config{CommonName: name}, key)
	if err != nil {
		return "", err
	}
	file := filepath.Join(folder, name+".crt")
	return file, os.WriteFile(file, utils.EncodeCertPEM(certificate), 0o600)
}

// modifyConfig tells whether the test wants no token of the administrator. A test that puts parts of its own into the
// server is skipped.
func modifyConfig(t testing.TB, modify func(*controlplane.Config)) bool {
	if modify == nil {
		return false
	}
	config := &controlplane.Config{}
	config.ControlPlane.Generic = &genericapiserver.Config{LoopbackClientConfig: &rest.Config{BearerToken: "kept"}}
	before := map[string]reflect.Value{}
	eachField(config, func(name string, value reflect.Value) { before[name] = reflect.ValueOf(value.Interface()) })
	func() {
		// Some look into parts that only a server has.
		defer func() {
			if recover() != nil {
				t.Skip("integration: the test changes the server in its process")
			}
		}()
		modify(config)
	}()
	changed := []string{}
	eachField(config, func(name string, value reflect.Value) {
		if name != "LoopbackClientConfig" && !sameValue(value, before[name]) {
			changed = append(changed, name)
		}
	})
	if len(changed) > 0 {
		t.Skipf("integration: the test changes the server in its process: %s", strings.Join(changed, ", "))
	}
	return config.ControlPlane.Generic.LoopbackClientConfig.BearerToken == ""
}

func sameValue(one, other reflect.Value) bool {
	if !one.IsValid() || !other.IsValid() || one.Kind() == reflect.Func {
		return one.IsZero()
	}
	return reflect.DeepEqual(one.Interface(), other.Interface())
}

func eachField(config *controlplane.Config, tell func(name string, value reflect.Value)) {
	for _, part := range []interface{}{*config.ControlPlane.Generic, config.ControlPlane.Extra, config.Extra} {
		value := reflect.ValueOf(part)
		for at := 0; at < value.NumField(); at++ {
			if field := value.Type().Field(at); field.IsExported() && field.Name != "EndpointReconcilerType" {
				tell(field.Name, value.Field(at))
			}
		}
	}
}
