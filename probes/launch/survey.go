package launch

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"podpath/kube"
)

const (
	// surveyTimeout is for one exec that looks around: it starts a few
	// processes.
	surveyTimeout = 15 * time.Second
	// surveyTries is how often a survey is made whose output was cut.
	surveyTries = 3
	// maxSurvey bounds the output of a survey in bytes.
	maxSurvey = 64 << 10
)

// survey is what one image has: the facts that the script survey.sh found, by
// their names.
type survey map[string]string

// shell is the name in a survey of what runs all of podpath's snippets.
const shell = "sh"

func (s survey) has(name string) bool { _, ok := s[name]; return ok }

// parseSurvey reads the output of survey.sh: lines of a name and a value, and
// a last one that says END.
func parseSurvey(output []byte) (survey, error) {
	s := survey{}
	for lines := bufio.NewScanner(bytes.NewReader(output)); lines.Scan(); {
		name, value, _ := strings.Cut(lines.Text(), " ")
		if name == "END" {
			return s, nil
		}
		s[name] = value
	}
	return nil, fmt.Errorf("%w: the survey of its tools has no END line", ErrCut)
}

// survey returns what the image of the container has, from one exec for each
// image. Where that fails in one Pod, those who waited for it look in theirs.
func (l *Ladder) survey(ctx context.Context, p place) (survey, error) {
	mine := false
	look := func() (s survey, err error) {
		mine = true
		for range surveyTries {
			if s, err = l.look(ctx, p); !errors.Is(err, ErrCut) {
				break
			}
		}
		return s, err
	}
	s, err := l.surveys.get(ctx, p.image, look)
	if err != nil && !mine {
		return look()
	}
	return s, err
}

// look makes a survey, with a shell or without.
func (l *Ladder) look(ctx context.Context, p place) (survey, error) {
	script, err := l.script("survey.sh")
	if err != nil {
		return nil, err
	}
	output, err := l.run(ctx, p, surveyTimeout, shell, "-c", script)
	switch {
	case isNoProgram(err):
		return l.lookWithoutShell(ctx, p)
	case err != nil && !isExit(err): // what the script says about the tools counts, not its code
		return nil, err
	}
	s, err := parseSurvey(output)
	if err == nil {
		s[shell] = shell
	}
	return s, err
}

// lookWithoutShell tries one program after the other.
func (l *Ladder) lookWithoutShell(ctx context.Context, p place) (survey, error) {
	s := survey{}
	for _, t := range tools {
		if len(t.trial) == 0 {
			continue
		}
		switch _, err := l.run(ctx, p, surveyTimeout, t.trial...); {
		case err == nil:
			s[t.name] = t.trial[0]
			return s, nil // the best, for they are in that order
		case !isNoProgram(err) && !isExit(err):
			return nil, err
		}
	}
	return s, nil
}

// run runs a command to its end and returns the beginning of its output.
func (l *Ladder) run(ctx context.Context, p place, timeout time.Duration, argv ...string) ([]byte, error) {
	output := &bounded{limit: maxSurvey}
	var complaint excerpt
	err := l.brief(ctx, timeout, kube.Exec{Pod: p.pod, Container: p.container, Command: argv, Stdout: output, Stderr: &complaint})
	return output.Bytes(), complained(err, &complaint)
}

// complained adds what a program said to the error of its exec.
func complained(err error, complaint *excerpt) error {
	if text := complaint.String(); err != nil && text != "" {
		return fmt.Errorf("%w (it says: %s)", err, text)
	}
	return err
}

// isNoProgram reports that a container lacks a program. Runtimes of old say it
// with the exit codes of a shell, 126 and 127.
func isNoProgram(err error) bool {
	var exec *kube.ExecError
	var exit *kube.ExitError
	return errors.As(err, &exec) && exec.Failure == kube.NoProgram || errors.As(err, &exit) && (exit.Code == 126 || exit.Code == 127)
}

func isExit(err error) bool {
	var exit *kube.ExitError
	return errors.As(err, &exit)
}
