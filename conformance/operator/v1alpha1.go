package operator

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/conversion"
)

var oldGroupVersion = schema.GroupVersion{Group: "example.dinghy.dev", Version: "v1alpha1"}

// Hub makes v1 the version through which all others are converted.
func (*Boat) Hub() {}

type OldBoatSpec struct {
	Capacity int32  `json:"capacity"`
	Colour   string `json:"colour,omitempty"`
}

// OldBoat is a Boat of v1alpha1, where seats are a capacity.
type OldBoat struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`
	Spec              OldBoatSpec `json:"spec"`
	Status            BoatStatus  `json:"status,omitempty"`
}

type OldBoatList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []OldBoat `json:"items"`
}

func (b *OldBoat) DeepCopy() *OldBoat {
	out := *b
	b.ObjectMeta.DeepCopyInto(&out.ObjectMeta)
	return &out
}

func (b *OldBoat) DeepCopyObject() runtime.Object { return b.DeepCopy() }

func (l *OldBoatList) DeepCopyObject() runtime.Object {
	out := *l
	out.Items = make([]OldBoat, len(l.Items))
	for i := range l.Items {
		out.Items[i] = *l.Items[i].DeepCopy()
	}
	return &out
}

func (b *OldBoat) ConvertTo(hub conversion.Hub) error {
	boat := hub.(*Boat)
	boat.ObjectMeta = b.ObjectMeta
	boat.Spec = BoatSpec{Seats: b.Spec.Capacity, Colour: b.Spec.Colour}
	boat.Status = b.Status
	return nil
}

func (b *OldBoat) ConvertFrom(hub conversion.Hub) error {
	boat := hub.(*Boat)
	b.ObjectMeta = boat.ObjectMeta
	b.Spec = OldBoatSpec{Capacity: boat.Spec.Seats, Colour: boat.Spec.Colour}
	b.Status = boat.Status
	return nil
}

func addOldToScheme(s *runtime.Scheme) {
	s.AddKnownTypeWithName(oldGroupVersion.WithKind("Boat"), &OldBoat{})
	s.AddKnownTypeWithName(oldGroupVersion.WithKind("BoatList"), &OldBoatList{})
	metav1.AddToGroupVersion(s, oldGroupVersion)
}
