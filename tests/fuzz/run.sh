#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Runs fuzzers, as many at a time as there are CPUs but no more than two, and
# reports in KTAP. Each begins with its seeds, corpus/NAME.b64, an input a line.
#
#	tests/fuzz/run.sh [NAME...]	for FUZZ_TIME (60) seconds each
#	tests/fuzz/run.sh --coverage [NAME...]	what the seeds and what was found
#				since reach, into build/tests/fuzz-coverage
#	tests/fuzz/run.sh --keep NAME...	add to the seeds what was found since
#
# What a fuzzer found that is new stays in build/tests/fuzz/found, for the next
# time. An input that broke something is shown in base64: put that line into the
# seeds together with what mends it.

set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/lib/ktap.sh

FUZZ_TIME=${FUZZ_TIME:-60}
SRC=tests/fuzz
OUT=$PWD/build/tests/fuzz
COV=$PWD/build/tests/fuzz-coverage
# An input that takes longer has found something, too: work without a bound.
TIMEOUT=10
MEMORY_MB=1536
MAX_LEN=4096
# Seeds are kept small, as they are in the tree.
KEEP_LEN=256

build()
{
	make -s -C "$SRC" "$@" all
}

# NAME DIRECTORY: the seeds as files
unpack()
{
	local line n=0

	rm -rf "$2"
	mkdir -p "$2"
	[ -e "$SRC/corpus/$1.b64" ] || return 0
	while read -r line; do
		[ "${line#\#}" = "$line" ] || continue
		n=$((n + 1))
		base64 -d <<<"$line" >"$2/seed-$n"
	done <"$SRC/corpus/$1.b64"
}

# NAME: in the background; its log is $OUT/NAME.log
start()
{
	unpack "$1" "$OUT/seeds/$1"
	mkdir -p "$OUT/found/$1" "$OUT/broke"
	rm -f "$OUT/broke/$1-"*
	UBSAN_OPTIONS=print_stacktrace=1 "$OUT/$1" -max_total_time="$FUZZ_TIME" \
		-timeout=$TIMEOUT -rss_limit_mb=$MEMORY_MB -max_len=$MAX_LEN \
		-print_final_stats=1 -verbosity=1 -use_value_profile=1 \
		-artifact_prefix="$OUT/broke/$1-" \
		"$OUT/found/$1" "$OUT/seeds/$1" >"$OUT/$1.log" 2>&1 &
}

# NAME KEY: from its statistics
stat_of()
{
	sed -n "s/^stat::$2: *//p" "$OUT/$1.log"
}

# NAME: what was wrong, the input, and how to see it again
broken()
{
	local input

	grep -v -e '^#[0-9]*[[:space:]][A-Z]' -e '# Uses:' "$OUT/$1.log" |
		grep -v '^INFO' | head -n 60
	for input in "$OUT/broke/$1-"*; do
		[ -e "$input" ] || continue
		echo "input: $(base64 -w 0 "$input")"
		echo "to see it again: echo INPUT | base64 -d >/tmp/input && build/tests/fuzz/$1 /tmp/input"
	done
}

# NAME STATUS
report()
{
	if [ "$2" -eq 0 ] && [ -n "$(stat_of "$1" number_of_executed_units)" ]
	then
		echo "# $1: $(stat_of "$1" number_of_executed_units) inputs," \
			"$(stat_of "$1" average_exec_per_sec) a second"
		ktap_pass "$1"
	else
		ktap_fail "$1" "failed with $2" "$(broken "$1")"
	fi
}

fuzz()
{
	local name pid finished status
	local -A running=()

	for name; do
		start "$name"
		running[$!]=$name
		[ ${#running[@]} -ge "$jobs" ] || continue
		wait -n -p finished "${!running[@]}"
		status=$?
		report "${running[$finished]}" $status
		unset "running[$finished]"
	done
	for pid in "${!running[@]}"; do
		wait "$pid"
		report "${running[$pid]}" $?
	done
}

# NAME...
coverage()
{
	local name objects=() profiles=()

	build FLAVOUR=coverage || exit 1
	for name; do
		unpack "$name" "$COV/seeds/$name"
		mkdir -p "$OUT/found/$name"
		LLVM_PROFILE_FILE=$COV/$name.profraw "$COV/$name" -runs=0 \
			"$COV/seeds/$name" "$OUT/found/$name" \
			>"$COV/$name.log" 2>&1 ||
			echo "$name: see $COV/$name.log" >&2
		objects+=(-object "$COV/$name")
		profiles+=("$COV/$name.profraw")
	done
	llvm-profdata merge -sparse -o "$COV/all.profdata" "${profiles[@]}" &&
		llvm-cov report -instr-profile="$COV/all.profdata" \
			-ignore-filename-regex=tests/fuzz \
			"${objects[@]:1}" >"$COV/report.txt" &&
		llvm-cov show -instr-profile="$COV/all.profdata" \
			-ignore-filename-regex=tests/fuzz \
			"${objects[@]:1}" >"$COV/lines.txt" || exit 1
	# files, lines and functions; what is left out is in report.txt
	awk '$1 == "Filename" || (/^TOTAL|\.[ch] / && $10 != "-") {
		printf "%-34s %9s %9s\n", $1, $1 ~ /^File/ ? "functions" : $7,
			$1 ~ /^File/ ? "lines" : $10
	}' "$COV/report.txt"
	echo "line by line: $COV/lines.txt"
}

# NAME: add to the seeds what reaches something that they do not, if it is small
keep()
{
	local all=$OUT/merged/$1 file corpus=$SRC/corpus/$1.b64

	unpack "$1" "$all"
	"$OUT/$1" -merge=1 -max_len=$KEEP_LEN "$all" "$OUT/found/$1" \
		>"$OUT/$1-merge.log" 2>&1 || return
	[ -e "$corpus" ] || echo '# SPDX-License-Identifier: GPL-2.0' >"$corpus"
	for file in "$all"/*; do
		[ "${file##*/seed-}" = "$file" ] || continue
		base64 -w 0 "$file"
		echo
	done >>"$corpus"
}

mode=fuzz
case ${1-} in
--coverage | --keep)
	mode=${1#--}
	shift
	;;
esac
[ $# -gt 0 ] || mapfile -t all < <(make -s -C "$SRC" list)
[ $# -gt 0 ] || set -- "${all[@]}"
jobs=$(nproc)
[ "$jobs" -le 2 ] || jobs=2
case $mode in
coverage)
	coverage "$@"
	exit
	;;
keep)
	build || exit 1
	for name; do
		keep "$name"
	done
	exit
	;;
esac
build || exit 1
fuzz "$@"
ktap_exit
