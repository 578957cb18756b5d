package assets

import (
	"embed"
	"fmt"
	"strings"
)

//go:embed rbac
var rbac embed.FS

// Feature is a part of podpath that needs rights of its own.
type Feature struct {
	Name string
	// Cluster is set when its rules need a ClusterRole.
	Cluster bool
}

// Features are all features, as podpath rbac names them.
var Features = []Feature{{"view", false}, {"nodes", true}, {"probe", false}, {"ephemeral", false}, {"helper-pods", false}, {"forward", false}}

// Rules returns the RBAC rules that a feature needs: the YAML of the list
// under rules in a Role, with a comment that says what for.
func Rules(feature string) (string, error) {
	text, err := rbac.ReadFile("rbac/" + feature + ".yaml")
	if err != nil {
		names := make([]string, len(Features))
		for i, f := range Features {
			names[i] = f.Name
		}
		return "", fmt.Errorf("there is no feature %q: choose among %s", feature, strings.Join(names, ", "))
	}
	return string(text), nil
}
