# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# The guest's bus core against hosts that are late, silent, gone or hostile: a
# module with a mock of the host runs the cases of tests/guest when it is
# loaded, and then fails to load, with "Operation canceled" when all passed.

TIMEOUT=240
GUEST_TIMEOUT=120

# What waits longest, for the core's own time limits, does so in two guests
# while the host VM runs the others.
LATE_1=open_late
LATE_2=un_late_hello_ack,close_late

# cases [PARAM=VALUE...]
cases() {
	lab_insmod pvbus && lab_test_module pvbus_guest_test cases "$@" && lab_rmmod pvbus
}

# How many of the cases have passed somewhere, of how many.
passed_of_all() {
	local files=("$LAB_OUT/cases" "$(guest_share late1)/cases" "$(guest_share late2)/cases")

	sed -n 's/^ok [0-9]* \([a-z_]*\)$/\1/p' "${files[@]}" | sort -u | wc -l
	sed -n 's/^1\.\.//p' "${files[0]}"
}

host() {
	local late1 late2 all

	check "the cases are built (make modules-all CONFIG_PVBUS_TESTS=m)" \
		test -e "$REPO/build/modules/$(uname -r)/pvbus_guest_test.ko" || return
	check "a guest boots" guest_start late1 || return
	guest_bg late1 cases only=$LATE_1 && late1=$GUEST_JOB
	check "and another" guest_start late2 || return
	guest_bg late2 cases only=$LATE_2 && late2=$GUEST_JOB
	check "the cases pass" cases except=$LATE_1,$LATE_2 fuzz_rounds=50
	check "those that wait pass" guest_wait late1 "$late1"
	check "in both guests" guest_wait late2 "$late2"
	mapfile -t all < <(passed_of_all)
	check_equal "none was left out" "${all[1]}" "${all[0]}"
}
