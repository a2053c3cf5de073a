// What starts Dinghy's API server in the place of the one that upstream's integration tests start in their own process.
// integration.ts lays this file over the package k8s.io/kubernetes/cmd/kube-apiserver/app/testing when it compiles them.
package testing

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/google/uuid"
	"github.com/spf13/pflag"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	utilfeature "k8s.io/apiserver/pkg/util/feature"
	"k8s.io/client-go/kubernetes"
	restclient "k8s.io/client-go/rest"
	"k8s.io/client-go/util/cert"
	"k8s.io/kubernetes/cmd/kube-apiserver/app/options"
)

const (
	readyWithin = 90 * time.Second
	endsWithin  = 15 * time.Second
	askedEvery  = 50 * time.Millisecond
)

// Server is a process of the API server, and how its administrator reaches it.
type Server struct {
	Config *restclient.Config
	Folder string
	Port   int
	// The certificate that the server shows.
	CertFile string
	KeyFile  string

	command *exec.Cmd
	ended   chan struct{}
}

// Reporter is what is needed of a test here.
type Reporter interface {
	Logf(format string, args ...interface{})
}

// Launch starts a server with the flags, and what it needs beside them. With `wait` it returns when the server is ready.
func Launch(t Reporter, flags []string, wait bool) (*Server, error) {
	folder, err := os.MkdirTemp("", "integration")
	if err != nil {
		return nil, err
	}
	server := &Server{Folder: folder, ended: make(chan struct{})}
	if server.Port, err = freePort(); err != nil {
		return nil, err
	}
	given := namesOf(flags)
	config, more, err := server.credentials(given)
	if err != nil {
		return nil, err
	}
	server.Config = config
	if err := server.start(t, append(withTokens(flags), more...)); err != nil {
		return nil, err
	}
	tellGates(t)
	if wait {
		if err := server.waitReady(); err != nil {
			server.Stop()
			return nil, err
		}
	}
	return server, nil
}

func freePort() (int, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer listener.Close()
	return listener.Addr().(*net.TCPAddr).Port, nil
}

// namesOf tells the flags' values by their names.
func namesOf(flags []string) map[string]string {
	names := map[string]string{}
	for at, flag := range flags {
		if !strings.HasPrefix(flag, "--") {
			continue
		}
		name, value, joined := strings.Cut(strings.TrimPrefix(flag, "--"), "=")
		if !joined && at+1 < len(flags) && !strings.HasPrefix(flags[at+1], "--") {
			value = flags[at+1]
		}
		names[name] = value
	}
	return names
}

// credentials makes a serving certificate and an administrator's token, unless the flags say otherwise.
func (s *Server) credentials(given map[string]string) (*restclient.Config, []string, error) {
	certificate, key, err := cert.GenerateSelfSignedCertKey("127.0.0.1", []net.IP{net.ParseIP("127.0.0.1")}, []string{"localhost"})
	if err != nil {
		return nil, nil, err
	}
	tls := restclient.TLSClientConfig{CAData: certificate}
	more := []string{"--secure-port=" + strconv.Itoa(s.Port)}
	s.CertFile, s.KeyFile = filepath.Join(s.Folder, "serving.crt"), filepath.Join(s.Folder, "serving.key")
	if file, ok := given["tls-cert-file"]; ok {
		s.CertFile, s.KeyFile, tls = file, given["tls-private-key-file"], restclient.TLSClientConfig{Insecure: true}
	} else {
		if err := writeAll(map[string][]byte{s.CertFile: certificate, s.KeyFile: key}); err != nil {
			return nil, nil, err
		}
		more = append(more, "--tls-cert-file="+s.CertFile, "--tls-private-key-file="+s.KeyFile)
	}
	token := uuid.NewString()
	lines := fmt.Sprintf("%s,system:apiserver,%s,system:masters\n", token, uuid.NewString())
	if file := given["token-auth-file"]; file != "" {
		others, err := os.ReadFile(file)
		if err != nil {
			return nil, nil, err
		}
		lines += string(others)
	}
	tokens := filepath.Join(s.Folder, "tokens.csv")
	if err := writeAll(map[string][]byte{tokens: []byte(lines)}); err != nil {
		return nil, nil, err
	}
	more = append(more, "--token-auth-file="+tokens)
	config := &restclient.Config{
		Host:            "https://127.0.0.1:" + strconv.Itoa(s.Port),
		BearerToken:     token,
		TLSClientConfig: tls,
		QPS:             1000,
		Burst:           10000,
	}
	return config, more, nil
}

// withTokens takes out the file of tokens, which stands in another one with the administrator's.
func withTokens(flags []string) []string {
	var kept []string
	for _, flag := range flags {
		if !strings.HasPrefix(flag, "--token-auth-file=") {
			kept = append(kept, flag)
		}
	}
	return kept
}

// SigningKey writes a key for tokens of service accounts into the folder, and returns the file's name.
func SigningKey(folder string) (string, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return "", err
	}
	bytes, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		return "", err
	}
	file := filepath.Join(folder, "service-account.key")
	return file, writeAll(map[string][]byte{file: pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: bytes})})
}

func encodeKey(key *rsa.PrivateKey) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)})
}

func writeAll(files map[string][]byte) error {
	for name, content := range files {
		if err := os.WriteFile(name, content, 0o600); err != nil {
			return err
		}
	}
	return nil
}

func (s *Server) start(t Reporter, flags []string) error {
	program := os.Getenv("INTEGRATION_SERVER")
	if program == "" {
		return fmt.Errorf("INTEGRATION_SERVER does not name the program")
	}
	log, err := os.CreateTemp(os.Getenv("INTEGRATION_LOGS"), "server")
	if err != nil {
		return err
	}
	defer log.Close()
	args := append(strings.Fields(os.Getenv("INTEGRATION_ARGUMENTS")), flags...)
	t.Logf("%s %s > %s", program, strings.Join(args, " "), log.Name())
	s.command = exec.Command(program, args...)
	s.command.Stdout, s.command.Stderr = log, log
	if err := s.command.Start(); err != nil {
		return err
	}
	go func() {
		_ = s.command.Wait()
		close(s.ended)
	}()
	return nil
}

// waitReady returns when the server says that it is well and has the namespaces that there are from the start.
func (s *Server) waitReady() error {
	client, err := kubernetes.NewForConfig(s.Config)
	if err != nil {
		return err
	}
	last := fmt.Errorf("nobody was asked")
	for until := time.Now().Add(readyWithin); time.Now().Before(until); time.Sleep(askedEvery) {
		select {
		case <-s.ended:
			return fmt.Errorf("the server ended: %v", s.command.ProcessState)
		default:
		}
		if last = s.ask(client); last == nil {
			return nil
		}
	}
	return last
}

func (s *Server) ask(client kubernetes.Interface) error {
	ctx := context.Background()
	if err := client.Discovery().RESTClient().Get().AbsPath("/healthz").Do(ctx).Error(); err != nil {
		return err
	}
	for _, name := range []string{"default", "kube-system"} {
		if _, err := client.CoreV1().Namespaces().Get(ctx, name, metav1.GetOptions{}); err != nil {
			return err
		}
	}
	return nil
}

// Stop ends the server, and takes its folder away.
func (s *Server) Stop() {
	_ = s.command.Process.Signal(syscall.SIGTERM)
	select {
	case <-s.ended:
	case <-time.After(endsWithin):
		_ = s.command.Process.Kill()
		<-s.ended
	}
	os.RemoveAll(s.Folder)
}

// tellGates says which feature gates the test has changed: a server that has no gates cannot follow.
func tellGates(t Reporter) {
	for name, spec := range utilfeature.DefaultMutableFeatureGate.GetAll() {
		if utilfeature.DefaultFeatureGate.Enabled(name) != spec.Default {
			t.Logf("integration gate: %s=%v", name, !spec.Default)
		}
	}
}

// FlagsOf tells the flags that make the options out of those that a server has by default.
func FlagsOf(wanted *options.ServerRunOptions) []string {
	usual := everyFlag(options.NewServerRunOptions())
	var flags []string
	everyFlag(wanted).VisitAll(func(flag *pflag.Flag) {
		value := flag.Value.String()
		if value == usual.Lookup(flag.Name).Value.String() || flag.Name == "feature-gates" {
			return
		}
		slice, many := flag.Value.(pflag.SliceValue)
		switch {
		case many && flag.Value.Type() == "stringArray":
			for _, one := range slice.GetSlice() {
				flags = append(flags, "--"+flag.Name+"="+one)
			}
		case many:
			flags = append(flags, "--"+flag.Name+"="+strings.Join(slice.GetSlice(), ","))
		case value != "":
			flags = append(flags, "--"+flag.Name+"="+value)
		}
	})
	return flags
}

func everyFlag(of *options.ServerRunOptions) *pflag.FlagSet {
	all := pflag.NewFlagSet("", pflag.ContinueOnError)
	for _, some := range of.Flags().FlagSets {
		all.AddFlagSet(some)
	}
	return all
}
