# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# A fault of the emulator. Once in some hours, TCG's SVM leaves a CPU of the host
# VM without its global interrupt flag after a guest's exit; when that CPU has
# gone idle, nothing wakes it again. No kernel can bring a CPU there: it is halted
# with interrupts enabled, and has interrupts to take.

# lost_cpu: the first CPU to which that has happened, and the vectors that wait;
# nothing if there is none. Reads what QEMU's monitor says to "info registers -a"
# and to "info lapic N" for each CPU.
lost_cpu() {
	tr -d '\r' | awk '
		/^CPU#/ { cpu = substr($1, 5) }
		# bit 9 of the flags is IF
		/^RIP=.*RFL=[0-9a-f]*[2367abef][0-9a-f][0-9a-f] .*HLT=1/ { halted[cpu] = 1 }
		/^dumping local APIC state for CPU/ { cpu = $NF }
		/^IRR/ && $2 ~ /^[0-9]/ && halted[cpu] && !found {
			$1 = "CPU " cpu ":"
			print
			found = 1
		}'
}

# vm_lost_interrupt: has it happened to the host VM? Prints lost_cpu's answer. An
# interrupt may have come just now, so it has to wait three times.
vm_lost_interrupt() {
	local commands=("info registers -a") lost='' again i

	for ((i = 0; i < HOST_SMP; i++)); do
		commands+=("info lapic $i")
	done
	for i in 1 2 3; do
		again=$(vm_monitor "${commands[@]}" | lost_cpu)
		[ -n "$again" ] || return
		[ "${lost:=${again%%:*}}" = "${again%%:*}" ] || return
	done
	echo "$again"
}
