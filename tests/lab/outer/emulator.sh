# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Faults of the emulator: TCG's SVM, with a hypervisor in it, does once in some
# hours what no CPU does. Each is told by what no kernel and no driver can bring
# about; the scenario that it has spoilt runs again (spoilt_again in ../run).
# Others are seen from within the host VM (vm/stuck.sh).

# lost_cpu: the first CPU of the host VM that is halted with interrupts enabled
# although interrupts wait for it, and their vectors; nothing if there is none.
# Nothing wakes it again. Reads what QEMU's monitor says to "info registers -a"
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

# vm_lost_interrupt: has that happened to the host VM? Prints lost_cpu's answer. An
# interrupt may have come just now, so it has to wait three times.
vm_lost_interrupt() {
	local commands=("info registers -a") lost='' again i

	for ((i = 0; i < VM_SMP; i++)); do
		commands+=("info lapic $i")
	done
	for i in 1 2 3; do
		again=$(vm_monitor "${commands[@]}" | lost_cpu)
		[ -n "$again" ] || return
		[ "${lost:=${again%%:*}}" = "${again%%:*}" ] || return
	done
	echo "$again"
}

# early_interrupt: the first line of a kernel's report, read from standard input,
# that shows an interrupt taken right after VMRUN; nothing if there is none. KVM
# has cleared the global interrupt flag there, and the guest's GS base is still
# loaded: the handler takes the guest's memory for its own, or faults, and faults
# again in the handler of that, until QEMU's thread has no stack left.
early_interrupt() {
	tr -d '\r' | awk '
		/BUG: TASK stack guard page was hit/ { full = 1 }
		full && /Comm: / { full = /Comm: qemu-system/ ? 2 : 0 }
		full == 2 && /RIP: 0010:error_entry\+/ { print; exit }
		/\] +asm_/ { taken = /asm_(sysvec_|common_interrupt)/ }
		taken && /RIP: 0010:__svm_vcpu_run\+/ { print; exit }
		/RIP: / { taken = 0 }'
}

# stale_int3: the first line of a kernel's report, read from standard input, of a
# breakpoint where there is none: what is before RIP is no int3. A kernel that
# changes its code puts one there for a moment, and the emulator has executed it
# after that. Nothing if there is no such report.
stale_int3() {
	tr -d '\r' | awk '
		/int3: 0000 / { taken = 1 }
		taken && /RIP: / { rip = $0 }
		taken && /Code: / {
			for (i = 2; i <= NF; i++)
				if ($i ~ /^</ && $(i - 1) != "cc")
					print rip
			exit
		}'
}

# syscall_interrupt: the line of a kernel's report, read from standard input, that
# shows something taken on the first instruction of a system call, where interrupts
# are off and the stack is still the program's; nothing if there is none.
syscall_interrupt() {
	tr -d '\r' | awk '
		/double fault: 0000 / { rip = ""; taken = 1 }
		taken && /RIP: 0010:entry_SYSCALL_64\+0x0\// { rip = $0 }
		taken && rip != "" && /RSP: 0018:0000/ { print rip; exit }'
}

# console_fault: which of these a kernel has reported whose console is read from
# standard input; nothing if none.
console_fault() {
	local console line

	console=$(tr -d '\0')
	line=$(early_interrupt <<<"$console")
	line=${line:-$(syscall_interrupt <<<"$console")}
	if [ -n "$line" ]; then
		echo "took an interrupt while they were off: ${line#*RIP: }"
		return
	fi
	line=$(stale_int3 <<<"$console")
	[ -z "$line" ] || echo "took an int3 that was not there: ${line#*RIP: }"
}
