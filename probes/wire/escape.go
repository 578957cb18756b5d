package wire

import (
	"fmt"
	"strconv"
	"strings"
)

// plain are the bytes that need no escape. No shell does anything to them,
// whatever the quoting.
const plain = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789./:_,="

// Escape writes bytes as a field: those that are not plain as \0 and three
// octal digits, which the printf %b of every POSIX shell turns back into the
// byte (POSIX.1-2017, printf). Nothing is "-".
func Escape(data []byte) string {
	if len(data) == 0 {
		return none
	}
	var b strings.Builder
	for _, c := range data {
		if strings.IndexByte(plain, c) >= 0 {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, `\0%03o`, c)
		}
	}
	return b.String()
}

// Unescape reads a field.
func Unescape(field string) ([]byte, error) {
	if field == none {
		return nil, nil
	}
	data := make([]byte, 0, len(field))
	for i := 0; i < len(field); i++ {
		if field[i] != '\\' {
			data = append(data, field[i])
			continue
		}
		v, err := strconv.ParseUint(field[i+1:min(i+5, len(field))], 8, 8)
		if err != nil || len(field) < i+5 || field[i+1] != '0' {
			return nil, fmt.Errorf("%q has an escape that is not \\0 and three octal digits of a byte", field)
		}
		data = append(data, byte(v))
		i += 4
	}
	return data, nil
}
