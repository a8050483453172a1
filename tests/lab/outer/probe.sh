# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Scenario of the probe boot (accel.sh).

TIMEOUT=40

host() {
	GUEST_BOOT_TIMEOUT=25
	check "a guest boots in the host VM" guest_start probe --mem 512M
	check "it powers off" guest_stop probe
}
