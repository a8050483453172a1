// SPDX-License-Identifier: GPL-2.0
/*
 * Keeps one virtual machine, which never runs, for as long as it lives.
 *
 * Creating the first VM and deleting the last one patch the scheduler's code,
 * and each guest's boot patches KVM's (static keys that count preemption
 * notifiers and APICs not yet enabled).  QEMU's TCG, as of 7.2, may go on with
 * a stale translation of an instruction that another CPU patches: the host VM
 * then dies of an "Oops: int3" that no hardware would show.  A VM with a
 * vCPU that never enables its APIC keeps these keys from changing.
 *
 * Says so in one line when they have changed for the last time.
 */
#include <fcntl.h>
#include <linux/kvm.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

int main(void)
{
	int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	int vm = ioctl(kvm, KVM_CREATE_VM, 0);

	if (vm < 0 || ioctl(vm, KVM_CREATE_IRQCHIP, 0) < 0 ||
	    ioctl(vm, KVM_CREATE_VCPU, 0) < 0) {
		perror("kvm_anchor");
		return 1;
	}
	puts("ready");
	fflush(stdout);
	for (;;)
		pause();
}
