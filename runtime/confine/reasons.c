/* SPDX-License-Identifier: Apache-2.0 */
/* Why a system call is denied, for people; in "stint doctor" and "stint run --seccomp". */
#include "confine/confine.h"
#include "base/cleanup.h"

#include <linux/seccomp.h>
#include <string.h>

/* Names between blanks, and what holds for each of them; at most 66 characters of it. */
static const struct {
	const char *names, *why;
} reasons[] = {
	{" ptrace process_vm_readv process_vm_writev process_madvise process_mrelease kcmp "
	 "pidfd_getfd ",
	 "no process looks into another one"},
	{" mount umount umount2 pivot_root chroot move_mount open_tree open_tree_attr fsopen "
	 "fsconfig fsmount fspick mount_setattr statmount listmount ",
	 "the mounts of an instance are made before it starts, and stay"},
	{" unshare setns clone ", "no namespaces inside: they open far more of the kernel"},
	{" clone3 ", "its flags cannot be checked; libraries use clone instead, harmless"},
	{" io_uring_setup io_uring_enter io_uring_register ",
	 "often a way into the kernel; libraries use epoll instead, harmless"},
	{" bpf perf_event_open userfaultfd vmsplice ", "often a way into the kernel"},
	{" add_key request_key keyctl ", "keys belong to no namespace"},
	{" init_module finit_module delete_module create_module query_module "
	 "kexec_load kexec_file_load reboot ",
	 "the kernel that runs is the host's"},
	{" clock_settime clock_adjtime settimeofday adjtimex stime ", "the clock is the host's"},
	{" sethostname setdomainname acct quotactl quotactl_fd swapon swapoff syslog vhangup ",
	 "this is the host's business"},
	{" mbind set_mempolicy get_mempolicy set_mempolicy_home_node move_pages migrate_pages ",
	 "where memory is placed is the host's business"},
	{" sched_setscheduler sched_setparam sched_setattr ",
	 "real-time processes would keep the host from its processors"},
	{" name_to_handle_at open_by_handle_at ", "handles lead past the root of an instance"},
	{" fanotify_init fanotify_mark ", "it watches whole file systems; inotify is allowed"},
	{" mknod mknodat ", "no devices are made inside; FIFOs and sockets are"},
	{" socket socketpair ", "only UNIX, INET, INET6 and route netlink sockets are made inside"},
	{" ioctl ", "it types into, or takes over, a terminal"},
	{" fcntl ", "leases and hints would reach the host through what it shares"},
	{" setsockopt ", "flow labels of IPv6 are one pool for the whole machine"},
	{" personality ", "older layouts of memory are easier to attack"},
	{" memfd_secret remap_file_pages modify_ldt iopl ioperm vm86 vm86old uselib ustat sysfs "
	 "_sysctl nfsservctl lookup_dcookie get_kernel_syms ",
	 "hardly a program uses it, and errors in it are found late"},
};

static const char *reason_of(const char *name)
{
	size_t n = strlen(name);

	for (size_t i = 0; i < ARRAY_SIZE(reasons); i++) {
		const char *at = reasons[i].names;

		while ((at = strstr(at + 1, name)))
			if (at[-1] == ' ' && at[n] == ' ')
				return reasons[i].why;
	}
	return NULL;
}

static bool is_in_default(int number)
{
	struct filter_call call;

	for (size_t i = 0; (call = filter_call_at(i)).name; i++)
		if (call.number == number && (call.kinds & 1 << FILTER_DEFAULT))
			return true;
	return false;
}

const char *filter_reason(const struct seccomp_data *data)
{
	char buffer[64];
	const char *name, *why;

	if (!filter_is_native(data))
		return "calls of other machines need 'seccomp: {abi32: true}'";
	name = filter_call_name(data->nr, buffer);
	if (!name)
		return "unknown when the list was made; programs take an older way";
	why = reason_of(name);
	if (why)
		return why;
	return is_in_default(data->nr) ? "the profile 'strict' is without it, 'default' has it"
				       : "no server needed it when the list was made";
}
