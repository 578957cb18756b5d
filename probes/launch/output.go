package launch

import (
	"bufio"
	"errors"
	"fmt"
	"io"

	"podpath/probes/wire"
)

const (
	// maxLine bounds the lines of a prober in bytes: those of the protocol are
	// shorter than 4,096.
	maxLine = 8 << 10
	// maxPreface is how many lines may precede the first one of a prober, such
	// as a shell's warning about its locale.
	maxPreface = 100
)

// read takes the lines of a prober to those who wait for them. It returns nil
// at the end of the output, and an error when the output makes no sense.
func (c *conversation) read(out io.Reader) error {
	lines := bufio.NewReaderSize(out, maxLine)
	greeted := false
	for n := 0; ; n++ {
		line, whole, err := nextLine(lines)
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		case !whole:
			line = ""
		}
		switch {
		case greeted:
			err = c.take(line)
		case n >= maxPreface:
			err = errors.New("what runs there is no prober of podpath")
		default:
			greeted = c.greet(line)
		}
		if err != nil {
			return err
		}
	}
}

// nextLine returns a line without its end, and false with the beginning of one
// that is too long. A last line without its end may have been cut: it is none.
func nextLine(lines *bufio.Reader) (line string, whole bool, err error) {
	slice, err := lines.ReadSlice('\n')
	switch {
	case err == nil:
		return string(slice[:len(slice)-1]), true, nil
	case !errors.Is(err, bufio.ErrBufferFull):
		return "", false, err
	}
	for errors.Is(err, bufio.ErrBufferFull) {
		_, err = lines.ReadSlice('\n')
	}
	return "", false, err
}

// greet looks for the first line of the prober.
func (c *conversation) greet(line string) bool {
	tool, ok := wire.ParseHello(line)
	if ok {
		c.mu.Lock()
		if c.via.Tool == "" {
			c.via.Tool = tool
		}
		c.mu.Unlock()
		close(c.hello)
	}
	return ok
}

// take handles a line of a prober that has greeted. What is no answer to an
// open request is passed over, such as a second answer, or the warning of a
// tool: whether something was lost, the count in the last line tells.
func (c *conversation) take(line string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if n, ok := wire.ParseEnd(line); ok {
		c.ended, c.counted = true, n
		return nil
	}
	answer, err := wire.ParseAnswer(line)
	if err != nil || len(c.waiting[answer.ID]) == 0 {
		return nil
	}
	a := c.waiting[answer.ID][0]
	a.data = append(a.data, answer.Data...)
	if len(a.data) > a.limit {
		return fmt.Errorf("it sends more than the %d bytes that it was asked for", a.limit)
	}
	if answer.Result == wire.Part {
		return nil
	}
	c.got++
	if c.waiting[answer.ID] = c.waiting[answer.ID][1:]; len(c.waiting[answer.ID]) == 0 {
		delete(c.waiting, answer.ID)
	}
	answer.Data = a.data
	a.answer <- answer
	return nil
}
