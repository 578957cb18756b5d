package forward

import (
	"encoding/binary"
	"fmt"
	"io"
	"strconv"
)

// Frames of SPDY/3.1, as far as port-forwarding uses it: one data frame and six
// kinds of control frames. Nothing that the far side sends in headers matters,
// so they are never unpacked.
const (
	frameHead = 8 // bytes before the payload of every frame
	// maxFrame is how many bytes a frame has that is sent: with the eight before it
	// that WebSocket adds, it fills two TLS records. One byte more would cost a
	// third one, with a system call of its own.
	maxFrame = 2*(16<<10) - 8
	// maxTurn is how much of a stream is sent before it is the turn of another: to
	// wake up for each frame would cost as much as to send it.
	maxTurn = 4 * maxFrame

	// maxControl is far above any control frame that is expected: bytes.
	maxControl = 64 << 10
)

const (
	spdyVersion = 3
	flagFin     = 0x01

	synStream   = 1
	synReply    = 2
	resetStream = 3
	ping        = 6
	goAway      = 7
	cancel      = 5 // why a stream is reset
)

// frame is the head of one that was received.
type frame struct {
	control bool
	kind    uint16 // of a control frame
	stream  uint32 // of a data frame
	fin     bool
	size    int // bytes of payload
}

func readFrame(r io.Reader) (frame, error) {
	var head [frameHead]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return frame{}, err
	}
	first := binary.BigEndian.Uint32(head[:])
	f := frame{
		control: first>>31 == 1, kind: uint16(first), stream: first,
		fin: head[4]&flagFin != 0, size: int(binary.BigEndian.Uint32(head[4:]) & 0xffffff),
	}
	if f.control && f.size > maxControl {
		return f, fmt.Errorf("a control frame of %d bytes", f.size)
	}
	return f, nil
}

// sealData fills in the head of a data frame whose payload is there already.
func sealData(data []byte, stream uint32, fin bool) {
	binary.BigEndian.PutUint32(data, stream)
	binary.BigEndian.PutUint32(data[4:], uint32(len(data)-frameHead))
	if fin {
		data[4] = flagFin
	}
}

func appendReset(b []byte, stream uint32) []byte {
	b = append(b, 0x80, spdyVersion, 0, resetStream, 0, 0, 0, 8)
	b = binary.BigEndian.AppendUint32(b, stream)
	return binary.BigEndian.AppendUint32(b, cancel)
}

func appendPing(b []byte, id uint32) []byte {
	b = append(b, 0x80, spdyVersion, 0, ping, 0, 0, 0, 4)
	return binary.BigEndian.AppendUint32(b, id)
}

// opener makes the frames that open streams. Their headers are one zlib stream
// over the life of the connection, which need not be compressed: to compress
// takes 0.8 MB of memory a connection, to save 100 bytes a stream.
type opener struct{ begun bool }

// appendOpen appends the frames that open an error stream and, two further, a
// data stream, which the far side finds to belong together by their request
// id. Nothing is ever written to the error stream: it ends as it begins.
func (o *opener) appendOpen(b []byte, errorStream uint32, port int) []byte {
	shared := []string{"port", strconv.Itoa(port), "requestid", strconv.FormatUint(uint64(errorStream), 10)}
	b = o.appendStream(b, errorStream, flagFin, append(shared, "streamtype", "error"))
	return o.appendStream(b, errorStream+2, 0, append(shared, "streamtype", "data"))
}

// appendStream appends one SYN_STREAM frame (SPDY/3.1, section 2.6.1), with names
// and values in turn as its headers.
func (o *opener) appendStream(b []byte, stream uint32, flags byte, headers []string) []byte {
	block := binary.BigEndian.AppendUint32(nil, uint32(len(headers)/2))
	for _, text := range headers {
		block = binary.BigEndian.AppendUint32(block, uint32(len(text)))
		block = append(block, text...)
	}
	start := len(b)
	b = append(b, 0x80, spdyVersion, 0, synStream, flags, 0, 0, 0)
	b = binary.BigEndian.AppendUint32(b, stream)
	b = append(b, 0, 0, 0, 0, 0, 0) // no parent, highest priority, no slot
	if !o.begun {
		o.begun = true
		b = append(b, 0x78, 0x20)                        // zlib, with a dictionary: SPDY's
		b = binary.BigEndian.AppendUint32(b, 0xe3c6a7c2) // its Adler-32
	}
	b = appendStored(b, block)
	b = appendStored(b, nil) // as zlib's Z_SYNC_FLUSH, for which the reader hands out what it has
	binary.BigEndian.PutUint16(b[start+6:], uint16(len(b)-start-frameHead))
	return b
}

// appendStored appends a block of data that is not compressed (RFC 1951, 3.2.4).
func appendStored(b, data []byte) []byte {
	b = append(b, 0)
	b = binary.LittleEndian.AppendUint16(b, uint16(len(data)))
	b = binary.LittleEndian.AppendUint16(b, ^uint16(len(data)))
	return append(b, data...)
}
