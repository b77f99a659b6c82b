# oslo.log's text as JSON lines: mawk -v mode=all|severity|request [-v id=ID] -f oslo.awk LOG
# A line is a record: tracebacks are not folded.

function text(s) {
    gsub(/[\\"]/, "\\\\&", s)
    gsub(/\t/, "\\t", s)
    return "\"" s "\""
}

function add(name, value) {
    if (value != "" && value != "-" && value != "None")
        out = out ",\"" name "\":" text(value)
}

mode == "severity" && !/^[^ ]+ [^ ]+ [0-9]+ (WARNING|ERROR|CRITICAL) / { next }
mode == "request" && !index($0, id) { next }

!/^[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9] / {
    print "{\"body\":" text($0) "}"
    next
}

{
    rest = substr($0, length($1) + length($2) + length($3) + length($4) + length($5) + 6)
    out = "{\"timestamp\":\"" $1 "T" $2 "000Z\",\"severity_text\":\"" $4 "\",\"process_pid\":" $3
    add("logger", $5)
    service = substr($5, 1, index($5 ".", ".") - 1)
    if (service ~ /^(nova|neutron|cinder|keystone|glance|heat|placement)$/)
        add("service_name", service)
    if (match(rest, /^\[(-|None [^]]*|req-[^]]*)\] /)) {
        count = split(substr(rest, 2, RLENGTH - 3), part, " ")
        rest = substr(rest, RLENGTH + 1)
        shift = count == 8
        if (count > 1) {
            root = shift && part[1] != "None" ? part[1] : ""
            add("global_request_id", root)
            add("request_id", part[1 + shift])
            trace = substr(root != "" ? root : part[1 + shift], 5)
            gsub(/-/, "", trace)
            add("trace_id", trace)
            add("user_id", part[2 + shift])
            add("project_id", part[3 + shift])
            add("domain_id", part[4 + shift])
            if (shift)
                add("system_scope", part[6])
            add("user_domain_id", part[5 + 2 * shift])
            add("project_domain_id", part[6 + 2 * shift])
        }
    }
    if (match(rest, /^\[instance: [0-9a-f-]*\] /)) {
        add("resource_type", "instance")
        add("resource_id", substr(rest, 12, RLENGTH - 13))
        rest = substr(rest, RLENGTH + 1)
    }
    if ($4 == "DEBUG" && match(rest, / [^ ]+ \/[^ ]+:[0-9]+$/)) {
        split(substr(rest, RSTART + 1), part, " ")
        rest = substr(rest, 1, RSTART - 1)
        add("code_function", part[1])
        split(part[2], part, ":")
        add("code_file", part[1])
        out = out ",\"code_line\":" part[2]
    } else if (match(rest, /" status: [0-9]+ +len: [0-9]+/)) {
        split(rest, part, " ")
        add("client_address", part[1])
        add("http_method", substr(part[2], 2))
        add("http_target", part[3])
        split(substr(rest, RSTART), part, " ")
        out = out ",\"http_status\":" part[3] ",\"http_response_size\":" part[5]
        if (part[6] == "time:")
            out = out ",\"duration\":" part[7]
    }
    print out ",\"body\":" text(rest) "}"
}
