# SPDX-License-Identifier: Apache-2.0
# Reads the rules, then every file; see check. Includes are checked in the folders that are layers
# (runtime/*, netns, templates), the other rules in every file.

function report(line, words)
{
	print FILENAME ":" line ": " words
	findings++
}

# The line without comments and the insides of strings; in_comment lasts from line to line.
function code_of(line,    code, rest)
{
	code = ""
	while (line != "") {
		if (in_comment) {
			rest = index(line, "*/")
			if (!rest)
				return code
			line = substr(line, rest + 2)
			in_comment = 0
		} else if (match(line, /^("([^"\\]|\\.)*"|'([^'\\]|\\.)*')/)) {
			code = code "\"\""
			line = substr(line, RLENGTH + 1)
		} else if (line ~ /^\/\//) {
			return code
		} else if (line ~ /^\/\*/) {
			in_comment = 1
			line = substr(line, 3)
		} else {
			code = code substr(line, 1, 1)
			line = substr(line, 2)
		}
	}
	return code
}

# runtime/base/x.c is of the layer base, netns/x.c of netns; "": no layer.
function layer_of(file,    parts)
{
	split(file, parts, "/")
	if (parts[1] == "runtime")
		return parts[3] == "" ? "" : parts[2]
	return parts[1] == "netns" || parts[1] == "templates" ? parts[1] : ""
}

function folder_of(header,    slash)
{
	slash = index(header, "/")
	return slash ? substr(header, 1, slash - 1) : ""
}

# The third-party rule for the header: its own name or its directory's.
function third_party_rule(header,    directory)
{
	directory = folder_of(header) "/"
	return header in third_party ? header : directory in third_party ? directory : ""
}

function check_third_party(header, rule)
{
	if (layer != third_party[rule]) {
		report(FNR, "<" header "> may be included in " place_of(third_party[rule]) " only")
		return
	}
	if (FILENAME == first_user[rule])
		return
	if (users_max[rule] && users[rule]++ >= users_max[rule])
		report(FNR, "<" header "> is included in " first_user[rule] " already: one file only")
	else
		first_user[rule] = FILENAME
}

function place_of(folder)
{
	return folder == "netns" || folder == "templates" ? folder : "runtime/" folder
}

function check_own(header, folder)
{
	if (folder == layer || ((layer, folder) in may) || ((layer, header) in may))
		return
	if (mechanism[folder] && ((layer, folder "/inside.h") in may))
		report(FNR, place_of(layer) " may include the inside half of " folder " only, " \
			"not \"" header "\"")
	else
		report(FNR, place_of(layer) " may not include \"" header "\" (layer " folder ")")
}

function check_include(header,    rule, folder)
{
	folder = folder_of(header)
	rule = third_party_rule(header)
	if (folder in layers)
		check_own(header, folder)
	else if (rule != "")
		check_third_party(header, rule)
	else if (!(header in system_headers) && !((folder "/") in system_headers))
		report(FNR, "\"" header "\" is neither a layer's header, written \"folder/name.h\"," \
			" nor the system's, nor a library's that the rules name")
}

# awk never comes by a file without a line.
function check_empty_files(    i)
{
	for (i = 2; i < ARGC; i++)
		if (!(ARGV[i] in seen)) {
			print ARGV[i] ":1: the file is empty, even of its SPDX-License-Identifier"
			findings++
		}
}

function end_file()
{
	if (layer != "" && last_file ~ /\.c$/ && last_line > lines_max) {
		print last_file ":" last_line ": more than " lines_max " lines: split it by ideas"
		findings++
	}
}

BEGIN {
	licence = "SPDX-License-Identifier: Apache-2.0"
}

FNR == NR {
	if ($1 == "layer") {
		layers[$2] = 1
		for (i = 3; i <= NF; i++) {
			may[$2, $i] = 1
			if ($i ~ /\/inside\.h$/)
				mechanism[folder_of($i)] = 1
		}
	} else if ($1 == "third-party") {
		third_party[$2] = $3
		users_max[$2] = $4
	} else if ($1 == "system") {
		for (i = 2; i <= NF; i++)
			system_headers[$i] = 1
	} else if ($1 == "lines") {
		lines_max = $2
	} else if ($0 !~ /^(#|$)/) {
		report(FNR, "this is no rule")
	}
	next
}

FNR == 1 {
	end_file()
	last_file = FILENAME
	layer = layer_of(FILENAME)
	in_comment = 0
	seen[FILENAME] = 1
	if (layer != "" && !(layer in layers))
		report(FNR, "the layer table does not name " place_of(layer))
	if ($0 != "/* " licence " */" && $0 != "// " licence)
		report(FNR, "the first line must be /* " licence " */")
}

{
	last_line = FNR
	was_in_comment = in_comment
	code = code_of($0)
}

code ~ /(^|[^A-Za-z0-9_.>])(system|popen)[ \t]*\(/ {
	report(FNR, "no shell: run programs with fork and exec, not with system() or popen()")
}

layer in layers && !was_in_comment && /^[ \t]*#[ \t]*include/ {
	if (match($0, /^[ \t]*#[ \t]*include(_next)?[ \t]*["<][^">]+[">]/)) {
		header = substr($0, RSTART, RLENGTH - 1)
		sub(/^[^"<]*["<]/, "", header)
		check_include(header)
	} else {
		report(FNR, "an include that this check cannot read")
	}
}

END {
	end_file()
	check_empty_files()
	if (findings) {
		print "layers: " findings " findings in " ARGC - 2 " files"
		exit 1
	}
	print "layers: " ARGC - 2 " files, nothing found"
}
