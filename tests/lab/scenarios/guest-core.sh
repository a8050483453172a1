# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# The guest's bus core against hosts that are late, silent, gone or hostile: a
# module with a mock of the host runs the cases of tests/guest when it is
# loaded, and then fails to load, with "Operation canceled" when all passed.

# most of it is waiting for the core's own time limits
TIMEOUT=420

cases() {
	local out

	out=$(insmod "$REPO/build/modules/$(uname -r)/pvbus_guest_test.ko" fuzz_rounds=50 2>&1)
	echo "$out"
	dmesg -t | grep -e '^not ok' -e '^# '
	[[ $out = *canceled* ]]
}

host() {
	check "the cases are built (make modules-all CONFIG_PVBUS_TESTS=m)" \
		test -e "$REPO/build/modules/$(uname -r)/pvbus_guest_test.ko" || return
	check "the bus core loads" lab_insmod pvbus
	check "all cases pass" cases
	check_equal "none was left out" 0 "$(dmesg -t | grep -c '^ok .*SKIP')"
	check "the bus core unloads" lab_rmmod pvbus
}
