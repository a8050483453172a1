# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# WANT: skip
# SHOWS: ok 1 - what cannot be tested # SKIP

host() {
	skip "what cannot be tested" "for no reason"
}
