// The exported names of k8s.io/kubernetes/cmd/kube-apiserver/app/testing, over a server in a process of its own.
package testing

import (
	"context"
	"crypto/rsa"
	"crypto/x509"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	gotesting "testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"google.golang.org/grpc"

	"k8s.io/apiserver/pkg/storage/storagebackend"
	"k8s.io/apiserver/pkg/storageversion"
	restclient "k8s.io/client-go/rest"
	"k8s.io/client-go/util/cert"
	"k8s.io/kubernetes/cmd/kube-apiserver/app/options"
	testutil "k8s.io/kubernetes/test/utils"
	"k8s.io/kubernetes/test/utils/ktesting"
)

const (
	serviceRange = "10.0.0.0/16"
	issuer       = "https://foo.bar.example.com"
	dialsFor     = 20 * time.Second
)

type TearDownFunc func()

type TestServerInstanceOptions struct {
	SkipHealthzCheck       bool
	EnableCertAuth         bool
	StorageVersionWrapFunc func(storageversion.Manager) storageversion.Manager
	ProxyCA                *ProxyCA
	BinaryVersion          string
	RequestTimeout         time.Duration
}

type TestServer struct {
	ClientConfig      *restclient.Config
	ServerOpts        *options.ServerRunOptions
	TearDownFn        TearDownFunc
	TmpDir            string
	EtcdClient        *clientv3.Client
	EtcdStoragePrefix string
}

type Logger interface {
	Helper()
	Errorf(format string, args ...interface{})
	Fatalf(format string, args ...interface{})
	Logf(format string, args ...interface{})
	Cleanup(func())
}

type ProxyCA struct {
	ProxySigningCert *x509.Certificate
	ProxySigningKey  *rsa.PrivateKey
}

func NewDefaultTestServerOptions() *TestServerInstanceOptions {
	return &TestServerInstanceOptions{EnableCertAuth: true}
}

func StartTestServer(t ktesting.TB, instance *TestServerInstanceOptions, customFlags []string, storage *storagebackend.Config) (TestServer, error) {
	result := TestServer{}
	if instance == nil {
		instance = NewDefaultTestServerOptions()
	}
	if instance.StorageVersionWrapFunc != nil {
		return result, fmt.Errorf("integration: the test changes the server in its process")
	}
	folder, err := os.MkdirTemp("", "integration-files")
	if err != nil {
		return result, err
	}
	parsed := options.NewServerRunOptions()
	if err := everyFlag(parsed).Parse(customFlags); err != nil {
		return result, err
	}
	flags, err := usualFlags(folder, instance, namesOf(customFlags), storage)
	if err != nil {
		return result, err
	}
	server, err := Launch(t, append(append([]string{}, customFlags...), flags...), !instance.SkipHealthzCheck)
	if err != nil {
		return result, err
	}
	etcd, _, err := GetEtcdClients(storage.Transport)
	if err != nil {
		server.Stop()
		return result, err
	}
	parsed.Etcd.StorageConfig = *storage
	parsed.SecureServing.BindPort = server.Port
	parsed.SecureServing.ServerCert.CertKey.CertFile = server.CertFile
	parsed.SecureServing.ServerCert.CertKey.KeyFile = server.KeyFile
	parsed.GenericServerRunOptions.AdvertiseAddress = net.ParseIP("127.0.0.1")
	return TestServer{
		ClientConfig:      restclient.CopyConfig(server.Config),
		ServerOpts:        parsed,
		TmpDir:            folder,
		EtcdClient:        etcd,
		EtcdStoragePrefix: storage.Prefix,
		TearDownFn: func() {
			server.Stop()
			etcd.Close()
			os.RemoveAll(folder)
		},
	}, nil
}

// usualFlags is what upstream's tests give every server, less what a test says itself.
func usualFlags(folder string, instance *TestServerInstanceOptions, given map[string]string, storage *storagebackend.Config) ([]string, error) {
	key, err := SigningKey(folder)
	if err != nil {
		return nil, err
	}
	usual := [][2]string{
		{"etcd-servers", strings.Join(storage.Transport.ServerList, ",")},
		{"etcd-prefix", storage.Prefix},
		{"cert-dir", filepath.Join(folder, "own")},
		{"service-cluster-ip-range", serviceRange},
		{"service-account-issuer", issuer},
		{"service-account-key-file", key},
		{"service-account-signing-key-file", key},
		{"advertise-address", "127.0.0.1"},
	}
	if instance.EnableCertAuth {
		more, err := certificateFlags(folder, instance)
		if err != nil {
			return nil, err
		}
		usual = append(usual, more...)
	}
	if instance.RequestTimeout > 0 {
		usual = append(usual, [2]string{"request-timeout", instance.RequestTimeout.String()})
	}
	var flags []string
	for _, one := range usual {
		if _, said := given[one[0]]; !said {
			flags = append(flags, "--"+one[0]+"="+one[1])
		}
	}
	return flags, nil
}

// certificateFlags makes the authorities of clients and of proxies.
func certificateFlags(folder string, instance *TestServerInstanceOptions) ([][2]string, error) {
	proxies, proxyKey, err := authority("front-proxy-ca")
	if err != nil {
		return nil, err
	}
	if instance.ProxyCA != nil {
		proxies, proxyKey = instance.ProxyCA.ProxySigningCert, instance.ProxyCA.ProxySigningKey
	}
	clients, _, err := authority("client-ca")
	if err != nil {
		return nil, err
	}
	key, err := testutil.NewPrivateKey()
	if err != nil {
		return nil, err
	}
	shown, err := testutil.NewSignedCert(&cert.Config{
		CommonName: "misty",
		Usages:     []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}, key, proxies, proxyKey)
	if err != nil {
		return nil, err
	}
	in := func(name string) string { return filepath.Join(folder, name) }
	err = writeAll(map[string][]byte{
		in("proxy-ca.crt"):  testutil.EncodeCertPEM(proxies),
		in("client-ca.crt"): testutil.EncodeCertPEM(clients),
		in("misty-crt.crt"): testutil.EncodeCertPEM(shown),
		in("misty-crt.key"): encodeKey(key),
	})
	return [][2]string{
		{"client-ca-file", in("client-ca.crt")},
		{"requestheader-client-ca-file", in("proxy-ca.crt")},
		{"requestheader-allowed-names", "ash,misty,brock"},
		{"requestheader-username-headers", "x-remote-user"},
		{"requestheader-uid-headers", "x-remote-uid"},
		{"requestheader-group-headers", "x-remote-group"},
		{"requestheader-extra-headers-prefix", "x-remote-extra-"},
		{"proxy-client-cert-file", in("misty-crt.crt")},
		{"proxy-client-key-file", in("misty-crt.key")},
	}, err
}

func authority(name string) (*x509.Certificate, *rsa.PrivateKey, error) {
	key, err := testutil.NewPrivateKey()
	if err != nil {
		return nil, nil, err
	}
	certificate, err := cert.NewSelfSignedCACert(cert.Config{CommonName: name}, key)
	return certificate, key, err
}

func StartTestServerOrDie(t gotesting.TB, instance *TestServerInstanceOptions, flags []string, storage *storagebackend.Config) *TestServer {
	result, err := StartTestServer(t, instance, flags, storage)
	if err != nil {
		t.Fatalf("no server: %v", err)
	}
	return &result
}

func GetEtcdClients(transport storagebackend.TransportConfig) (*clientv3.Client, clientv3.KV, error) {
	ctx, cancel := context.WithTimeout(context.Background(), dialsFor)
	defer cancel()
	client, err := clientv3.New(clientv3.Config{
		Endpoints:   transport.ServerList,
		DialTimeout: dialsFor,
		DialOptions: []grpc.DialOption{grpc.WithBlock()},
	})
	if err != nil {
		return nil, nil, err
	}
	if _, err := client.Status(ctx, transport.ServerList[0]); err != nil {
		client.Close()
		return nil, nil, err
	}
	return client, clientv3.NewKV(client), nil
}
