package forward

// queue is what was received and not read yet.
type queue struct {
	chunks [][]byte
	size   int // bytes, and what keeping them costs
}

// chunkCost is what a chunk costs besides its bytes: a flood of tiny frames must
// count as well.
const chunkCost = 64

func (q *queue) push(chunk []byte) {
	q.chunks = append(q.chunks, chunk)
	q.size += len(chunk) + chunkCost
}

// read fills p with what is there.
func (q *queue) read(p []byte) int {
	read := 0
	for len(q.chunks) > 0 && read < len(p) {
		n := copy(p[read:], q.chunks[0])
		read += n
		q.size -= n
		if n < len(q.chunks[0]) {
			q.chunks[0] = q.chunks[0][n:]
			break
		}
		q.size -= chunkCost
		q.chunks[0] = nil
		q.chunks = q.chunks[1:]
	}
	return read
}
