#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Tests of the lab from outside: each scenario in selftest/ goes wrong in its
# own way (its WANT line says how it must be judged), and what went wrong must
# be shown (its SHOWS lines), and nothing that did not (HIDES).  Options are passed on to run.

set -u

LAB_DIR=$(realpath "$(dirname "${BASH_SOURCE[0]}")")
BUILD=$(realpath "$LAB_DIR/../..")/build/lab
OUT=$BUILD/selftest.log

# Where the lab breaks things for good it has to boot again: last.
SCENARIOS="check subshell nothing ends-early skips hangs panic-missing
	host-warns guest-warns guest-panics guest-panic-wanted qemu-dies
	host-oopses host-panics host-stuck spoilt-once spoilt-always silent-once shutdown-once
	last"

# The module that makes trouble, for each kernel that can build one.
build_fault() {
	local headers release

	for headers in /lib/modules/*/build; do
		[ -e "$headers/Makefile" ] || continue
		release=$(basename "${headers%/build}")
		mkdir -p "$BUILD/fault/$release"
		cp "$LAB_DIR"/fault/{Kbuild,lab_fault.c} "$BUILD/fault/$release/"
		make -s -C "$headers" M="$BUILD/fault/$release" modules || return
	done
}

# What the run printed of scenario $1, with the line of its result.
section() {
	sed -n "/^# Subtest: $1\$/,/^\(not \)\?ok [0-9]* $1 /p" "$OUT"
}

# $1 = N, $2 = scenario
judge() {
	local file=$LAB_DIR/selftest/$2.sh want result text ok=ok

	want=$(sed -n 's/^# WANT: //p' "$file")
	result=$(section "$2" | tail -n 1)
	case $result in
	"ok "*"# SKIP"*) result=skip ;;
	"ok "*) result=pass ;;
	"not ok "*) result=fail ;;
	*) result=none ;;
	esac
	if [ "$result" != "$want" ]; then
		ok="not ok"
		echo "# $2: want $want, got $result"
	fi
	while IFS= read -r text; do
		section "$2" | grep -qF -- "$text" && continue
		ok="not ok"
		echo "# $2: does not show: $text"
	done < <(sed -n 's/^# SHOWS: //p' "$file")
	while IFS= read -r text; do
		section "$2" | grep -qF -- "$text" || continue
		ok="not ok"
		echo "# $2: shows: $text"
	done < <(sed -n 's/^# HIDES: //p' "$file")
	[ "$ok" = ok ] || section "$2" | sed 's/^/#   /'
	echo "$ok $1 - $2 is judged right ($want)"
	[ "$ok" = ok ]
}

main() {
	local name n=0 failed=0
	local -a files=()

	echo "TAP version 14"
	for name in $SCENARIOS; do
		files+=("$LAB_DIR/selftest/$name.sh")
	done
	mkdir -p "$BUILD"
	build_fault || exit 1
	"$LAB_DIR/run" --keep-going --set "LAB_FAULT=$BUILD/fault" "$@" "${files[@]}" \
		>"$OUT" 2>&1
	if [ $? -ne 1 ]; then
		echo "# the run must fail"
		failed=1
	fi
	for name in $SCENARIOS; do
		n=$((n + 1))
		judge $n "$name" || failed=1
	done
	echo "1..$n"
	exit $failed
}

main "$@"
