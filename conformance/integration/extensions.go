// The exported names of k8s.io/apiextensions-apiserver/pkg/cmd/server/testing: upstream's tests of custom resources start a
// server that has nothing else. Here they get a whole one, in a process of its own.
package testing

import (
	"os"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	extensionsapiserver "k8s.io/apiextensions-apiserver/pkg/apiserver"
	"k8s.io/apiextensions-apiserver/pkg/cmd/server/options"
	"k8s.io/apiserver/pkg/storage/storagebackend"
	restclient "k8s.io/client-go/rest"
	apiservertesting "k8s.io/kubernetes/cmd/kube-apiserver/app/testing"
)

type TearDownFunc func()

type TestServerInstanceOptions struct{}

type TestServer struct {
	ClientConfig    *restclient.Config
	ServerOpts      *options.CustomResourceDefinitionsServerOptions
	TearDownFn      TearDownFunc
	TmpDir          string
	CompletedConfig extensionsapiserver.CompletedConfig
}

type Logger interface {
	Errorf(format string, args ...interface{})
	Fatalf(format string, args ...interface{})
	Logf(format string, args ...interface{})
}

// How a server without users of its own asks another one who somebody is.
var delegation = []string{"authentication-skip-lookup", "authentication-kubeconfig", "authorization-kubeconfig", "kubeconfig"}

func NewDefaultTestServerOptions() *TestServerInstanceOptions {
	return &TestServerInstanceOptions{}
}

func StartTestServer(t Logger, _ *TestServerInstanceOptions, customFlags []string, storage *storagebackend.Config) (TestServer, error) {
	folder, err := os.MkdirTemp("", "integration-files")
	if err != nil {
		return TestServer{}, err
	}
	parsed := options.NewCustomResourceDefinitionsServerOptions(os.Stdout, os.Stderr)
	set := pflag.NewFlagSet("test", pflag.ContinueOnError)
	parsed.AddFlags(set)
	if err := set.Parse(customFlags); err != nil {
		return TestServer{}, err
	}
	var flags []string
	set.Visit(func(flag *pflag.Flag) {
		value := flag.Value.String()
		if many, ok := flag.Value.(pflag.SliceValue); ok {
			value = strings.Join(many.GetSlice(), ",")
		}
		if !slices.Contains(delegation, flag.Name) {
			flags = append(flags, "--"+flag.Name+"="+value)
		}
	})
	if storage != nil {
		parsed.RecommendedOptions.Etcd.StorageConfig = *storage
		flags = append(flags, "--etcd-prefix="+storage.Prefix, "--etcd-servers="+strings.Join(storage.Transport.ServerList, ","))
	}
	key, err := apiservertesting.SigningKey(folder)
	if err != nil {
		return TestServer{}, err
	}
	flags = append(flags, "--cert-dir="+folder+"/own", "--service-account-issuer=https://localhost",
		"--service-account-key-file="+key, "--service-account-signing-key-file="+key, "--advertise-address=127.0.0.1")
	server, err := apiservertesting.Launch(t, flags, true)
	if err != nil {
		return TestServer{}, err
	}
	return TestServer{
		ClientConfig: restclient.CopyConfig(server.Config),
		ServerOpts:   parsed,
		TmpDir:       folder,
		TearDownFn: func() {
			server.Stop()
			os.RemoveAll(folder)
		},
	}, nil
}

func StartTestServerOrDie(t Logger, instance *TestServerInstanceOptions, flags []string, storage *storagebackend.Config) *TestServer {
	result, err := StartTestServer(t, instance, flags, storage)
	if err != nil {
		t.Fatalf("no server: %v", err)
	}
	return &result
}
