module podpath/e2e/cluster/images

go 1.26.0
