package api

import (
	"encoding/binary"
	"errors"
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Reset is for the decoder of protobuf.
func (d *Deployment) Reset() { *d = Deployment{} }

// Unmarshal reads protobuf, which kubectl create deployment sends whatever the
// server prefers. The numbers are those of k8s.io/api/apps/v1/generated.proto.
func (d *Deployment) Unmarshal(message []byte) error {
	return eachField(message, func(field, _ uint64, data []byte) error {
		switch field {
		case 1:
			return d.ObjectMeta.Unmarshal(data)
		case 2:
			return eachField(data, d.Spec.set)
		}
		return nil // the status, which is not kept anyway
	})
}

// set sets a field of the protobuf message.
func (s *DeploymentSpec) set(field, number uint64, data []byte) error {
	switch field {
	case 1:
		s.Replicas = new(int32(number))
	case 2:
		s.Selector = &metav1.LabelSelector{}
		return s.Selector.Unmarshal(data)
	case 3:
		return s.Template.Unmarshal(data)
	case 4:
		return eachField(data, s.setStrategy)
	case 5:
		s.MinReadySeconds = int32(number)
	case 6:
		s.RevisionHistoryLimit = new(int32(number))
	case 7:
		s.Paused = number == 1
	case 9:
		s.ProgressDeadlineSeconds = new(int32(number))
	default:
		return fmt.Errorf("field %d of a Deployment is only known as JSON", field)
	}
	return nil
}

func (s *DeploymentSpec) setStrategy(field, _ uint64, data []byte) error {
	if field != 1 {
		return errors.New("the strategy of a Deployment is only known as JSON")
	}
	if len(data) > 0 {
		s.Strategy = map[string]any{"type": string(data)}
	}
	return nil
}

// eachField tells the fields of a protobuf message: those of type varint have a
// number, the others data.
func eachField(message []byte, tell func(field, number uint64, data []byte) error) error {
	for len(message) > 0 {
		tag, tagSize := binary.Uvarint(message)
		number, size := binary.Uvarint(message[max(0, tagSize):])
		message = message[max(0, tagSize)+max(0, size):]
		isData := tag&7 == 2
		if tagSize <= 0 || size <= 0 || isData && number > uint64(len(message)) {
			return errors.New("this is no protobuf message")
		}
		var data []byte
		if isData {
			data, message = message[:number], message[number:]
		}
		if err := tell(tag>>3, number, data); err != nil {
			return err
		}
	}
	return nil
}
