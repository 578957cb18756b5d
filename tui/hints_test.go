package tui

import (
	"testing"
	"time"
)

func TestTheKeysOfEvidenceThatMatterFitTheLastLine(t *testing.T) {
	drive(t, setup{}, func(s *screen) {
		s.press("3", "a")
		s.wait(time.Second)
		s.press("enter")
		s.sees("enter open hop  c copy next  r run again")
		s.press("?")
		s.sees("copy the next command")
	})
}
