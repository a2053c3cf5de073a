module dinghy/gostructs

go 1.22
