/* SPDX-License-Identifier: Apache-2.0 */
/* runtime/instance/copy: what arrives, and what must not be reached. */
#include "copy_rig.h"
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#define SOMEBODY 54321

static void file_out(void **state)
{
	struct world *world = *state;

	shell(world, "echo content > inside/f; chmod 6755 inside/f");
	assert_int_equal(copy_out(world, "/f", "g"), 0);
	assert_int_equal(copy_out(world, "f", "./h"), 0);
	expect_output(world, "cat host/g host/h; stat -c %a host/g", "content\ncontent\n755");
	assert_int_equal(world->bytes, 8);
}

static void file_in(void **state)
{
	struct world *world = *state;

	shell(world, "echo content > host/f; chmod 4666 host/f; mkdir inside/d");
	assert_int_equal(copy_in(world, "f", "/d/g"), 0);
	assert_int_equal(copy_in(world, "f", "h"), 0);
	expect_output(world, "cat inside/d/g inside/h; stat -c %a inside/h",
		      "content\ncontent\n666");
}

static void file_out_obeys_mask(void **state)
{
	struct world *world = *state;

	shell(world, "mkdir -m 777 inside/d; echo x > inside/d/f; chmod 777 inside/d/f");
	umask(027);
	assert_int_equal(copy_out(world, "/d", "d"), 0);
	umask(022);
	expect_output(world, "stat -c %a host/d host/d/f", "750\n750");
}

static void file_empty_and_large(void **state)
{
	struct world *world = *state;

	shell(world, "touch inside/empty; head -c 3000001 /dev/urandom > inside/large");
	assert_int_equal(copy_out(world, "/empty", "empty"), 0);
	assert_int_equal(copy_out(world, "/large", "large"), 0);
	expect_output(world, "cmp inside/large host/large; cmp inside/empty host/empty", "");
}

static void file_sparse(void **state)
{
	struct world *world = *state;

	shell(world, "truncate -s 20G inside/s; echo data | dd of=inside/s bs=1M seek=5000 "
		     "conv=notrunc status=none; printf end >> inside/s; truncate -s 21G inside/s");
	assert_int_equal(copy_out(world, "/s", "s"), 0);
	assert_true(world->bytes < (1 << 20));
	expect_output(world,
		      "dd if=host/s bs=1M skip=5000 count=1 status=none | head -c 5; "
		      "tail -c +21474836481 host/s | head -c 3; stat -c ' %s' host/s",
		      "data\nend 22548578304");
	shell(world, "test $(du -k host/s | cut -f1) -lt 4096");
}

static void place_rules(void **state)
{
	struct world *world = *state;

	shell(world, "echo f > inside/f; mkdir -p inside/d/e host/there; echo x > inside/d/e/x");
	assert_int_equal(copy_out(world, "/f", "there"), 0);
	assert_int_equal(copy_out(world, "/f", "there/"), 0);
	assert_int_equal(copy_out(world, "/d", "there"), 0);
	assert_int_equal(copy_out(world, "/d/", "new"), 0);
	assert_int_equal(copy_out(world, "/d", "slash/"), 0);
	assert_int_equal(copy_out(world, "/d/.", "there"), 0);
	assert_int_equal(copy_out(world, "/d/e/..", "there/e"), 0);
	expect_output(
		world, "cd host; find . -type f | sort",
		"./new/e/x\n./slash/e/x\n./there/d/e/x\n./there/e/e/x\n./there/e/x\n./there/f");
}

static void place_impossible(void **state)
{
	struct world *world = *state;

	shell(world, "echo f > inside/f; mkdir -p inside/d host/there/f; echo x > host/file");
	assert_int_equal(copy_out(world, "/none", "x"), -ENOENT);
	assert_int_equal(world->err.kind, ERROR_NOT_FOUND);
	assert_true(copy_out(world, "", "x") < 0);
	assert_true(copy_out(world, "/f", "") < 0);
	assert_true(copy_out(world, "/f", "none/") < 0);
	assert_true(copy_out(world, "/f", "none/x") < 0);
	assert_true(copy_out(world, "/f", "none/..") < 0);
	assert_true(copy_out(world, "/f", "there") < 0); /* there/f is a directory */
	assert_true(copy_out(world, "/d", "file") < 0);
	assert_true(copy_out(world, "/d", "-") < 0);
	assert_true(copy_in(world, "-", "/d") < 0);
	expect_output(world, "cd host; find . | sort; cat file",
		      ".\n./file\n./there\n./there/f\nx");
}

static void tree_with_links(void **state)
{
	struct world *world = *state;

	shell(world, "mkdir -p inside/t/a/b; echo 1 > inside/t/a/b/f; ln -s /etc/passwd "
		     "inside/t/abs; ln -s ../../x inside/t/a/rel; ln -s none inside/t/a/b/l; "
		     "chmod 1777 inside/t/a; chmod 555 inside/t/a/b");
	assert_int_equal(copy_out(world, "/t", "t"), 0);
	expect_output(world, "cd host; find t -printf '%y %m %p %l\\n' | sort",
		      "d 1755 t/a \nd 555 t/a/b \nd 755 t \nf 644 t/a/b/f \n"
		      "l 777 t/a/b/l none\nl 777 t/a/rel ../../x\nl 777 t/abs /etc/passwd");
	assert_int_equal(copy_in(world, "t", "/back"), 0);
	expect_output(world, "diff -r --no-dereference inside/t inside/back", "");
	/* once more, over what is there */
	shell(world, "chmod -R u+w host inside");
	assert_int_equal(copy_out(world, "/t/.", "t"), 0);
	expect_output(world, "diff -r --no-dereference inside/t host/t", "");
}

static void tree_with_other_things(void **state)
{
	struct world *world = *state;

	shell(world, "mkdir inside/t; mkfifo inside/t/fifo; echo f > inside/t/f");
	assert_int_equal(copy_out(world, "/t", "t"), -EIO);
	assert_string_equal(world->complaints.data, "'/t/fifo' is a pipe and is not copied\n");
	assert_string_equal(world->err.text, "1 thing was not copied");
	expect_output(world, "ls host/t", "f");
	assert_true(copy_out(world, "/t/fifo", "x") < 0);
	assert_true(copy_out(world, "/t/fifo", "-") < 0);
}

static void tree_with_strange_names(void **state)
{
	struct world *world = *state;

	shell(world, "mkdir inside/t; mkfifo \"inside/t/$(printf 'a\\033[2Jb')\"; "
		     "echo x > \"inside/t/$(printf 'n\\nl')\"");
	assert_true(copy_out(world, "/t", "t") < 0);
	assert_string_equal(world->complaints.data,
			    "'/t/a\\x1b[2Jb' is a pipe and is not copied\n");
	expect_output(world, "cat host/t/n*", "x");
}

static void tree_nested_too_deeply(void **state)
{
	struct world *world = *state;
	int at = openat(world->top, "inside", O_PATH | O_DIRECTORY | O_CLOEXEC);

	for (int i = 0; i < 1000; i++) {
		int next;

		assert_int_equal(mkdirat(at, "d", 0755), 0);
		next = openat(at, "d", O_PATH | O_DIRECTORY | O_CLOEXEC);
		close(at);
		at = next;
	}
	close(at);
	assert_true(copy_out(world, "/d", "d") < 0);
	assert_non_null(strstr(world->complaints.data, "nested too deeply"));
}

/* Links are followed as the instance sees them. */
static void escape_from_inside(void **state)
{
	struct world *world = *state;

	shell(world,
	      "mkdir inside/etc; echo own > inside/etc/passwd; ln -s /etc/passwd inside/a; "
	      "ln -s ../../../../../../etc/passwd inside/b; ln -s / inside/c; "
	      "ln -s /proc/self/root inside/p; echo secret > secret; ln -s ../secret inside/d");
	assert_int_equal(copy_out(world, "/a", "1"), 0);
	assert_int_equal(copy_out(world, "/b", "2"), 0);
	assert_int_equal(copy_out(world, "/c/etc/passwd", "3"), 0);
	assert_int_equal(copy_out(world, "/../../../etc/passwd", "4"), 0);
	expect_output(world, "cat host/?", "own\nown\nown\nown");
	assert_true(copy_out(world, "/p/etc/passwd", "5") < 0);
	assert_true(copy_out(world, "/../secret", "6") < 0);
	assert_true(copy_out(world, "/d", "7") < 0);
}

static void escape_on_the_way_in(void **state)
{
	struct world *world = *state;
	cleanup_free char *script = NULL;

	shell(world, "echo new > host/f; mkdir -p host/t/d target; echo x > host/t/d/x; "
		     "ln -s ../target inside/up; mkdir inside/t; ln -s ../../target inside/t/d");
	script = xasprintf("ln -s %s/target inside/abs", world->path);
	shell(world, script);
	assert_true(copy_in(world, "f", "/abs/f") < 0);
	assert_true(copy_in(world, "f", "/up/f") < 0);
	assert_true(copy_in(world, "f", "/../target/f") < 0);
	/* a directory of the tree meets a link: it is not followed */
	assert_true(copy_in(world, "t", "/") < 0);
	expect_output(world, "ls target", "");
	/* a file replaces a link itself */
	assert_int_equal(copy_in(world, "f", "/abs"), 0);
	expect_output(world, "stat -c %F inside/abs; ls target", "regular file");
}

static void link_of_host_is_not_followed_by_tree(void **state)
{
	struct world *world = *state;

	shell(world, "mkdir -p inside/t/d target; echo x > inside/t/d/x; echo y > inside/t/f; "
		     "mkdir host/t; ln -s ../../target host/t/d; ln -s ../../target/f host/t/f");
	assert_true(copy_out(world, "/t", ".") < 0);
	expect_output(world, "ls target; cat host/t/f; stat -c %F host/t/f", "y\nregular file");
}

static void existing_fifo_is_not_opened(void **state)
{
	struct world *world = *state;

	shell(world, "echo x > inside/f; mkfifo host/fifo inside/fifo; echo x > host/f");
	assert_int_equal(copy_out(world, "/f", "fifo"), -EIO);
	assert_int_equal(copy_in(world, "f", "/fifo"), -EIO);
	expect_output(world, "stat -c %F host/fifo inside/fifo; ls -A host inside",
		      "fifo\nfifo\nhost:\nf\nfifo\n\ninside:\nf\nfifo");
}

static void views_of_the_kernel(void **state)
{
	struct world *world = *state;
	cleanup_fd int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);

	close(world->root);
	world->root = steal_fd(&root);
	shell(world, "echo x > host/f");
	assert_true(copy_out(world, "/proc/self/status", "x") < 0);
	assert_true(copy_out(world, "/sys/kernel", "x") < 0);
	assert_int_equal(copy_in(world, "f", "/proc/self/comm"), -EPERM);
	assert_int_equal(world->err.kind, ERROR_REFUSED);
	expect_output(world, "ls host", "f");
}

/* Given up, or failed half-way: nothing is half there. */
static void cancelled(void **state)
{
	struct world *world = *state;
	int ends[2];

	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	assert_int_equal(write(ends[1], "x", 1), 1);
	shell(world, "head -c 100000 /dev/zero > inside/f; echo old > host/old; mkdir inside/t; "
		     "cp inside/f inside/t/1; cp inside/f inside/t/2");
	world->cancel = ends[0];
	assert_int_equal(copy_out(world, "/f", "f"), -EIO);
	assert_int_equal(copy_out(world, "/f", "old"), -EIO);
	assert_int_equal(copy_out(world, "/t", "t"), -EIO);
	expect_output(world, "ls -A host host/t; cat host/old", "host:\nold\nt\n\nhost/t:\nold");
	assert_null(strchr(strchr(world->complaints.data, '\n') + 1, '\n'));
	close(ends[0]);
	close(ends[1]);
}

static void streams(void **state)
{
	struct world *world = *state;
	cleanup_fd int in = dup(0), out = dup(1);
	cleanup_fd int from = -1, to = -1;

	shell(world, "echo streamed > host/from");
	from = open("from", O_RDONLY | O_CLOEXEC);
	to = open("to", O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	dup2(from, 0);
	assert_int_equal(copy_in(world, "-", "/f"), 0);
	dup2(in, 0);
	dup2(to, 1);
	assert_int_equal(copy_out(world, "/f", "-"), 0);
	dup2(out, 1);
	expect_output(world, "cat host/to; stat -c %a inside/f; ls -A inside", "streamed\n644\nf");
}

static void need_root(void)
{
	if (geteuid() != 0)
		skip();
}

static void owner_inside(void **state)
{
	struct world *world = *state;

	need_root();
	shell(world, "mkdir -p inside/d host/t/u; chown 77:78 inside/d; echo x > host/t/u/f; "
		     "ln -s x host/t/l; chown -R 5:5 host/t");
	assert_int_equal(copy_in(world, "t", "/d"), 0);
	assert_int_equal(copy_in(world, "t/u/f", "/d/g"), 0);
	expect_output(world, "find inside/d -printf '%U:%G ' ",
		      "77:78 77:78 77:78 77:78 77:78 77:78 ");
}

static void replaced_file_keeps_its_looks(void **state)
{
	struct world *world = *state;

	need_root();
	shell(world, "echo old > inside/f; chown 7:8 inside/f; chmod 4640 inside/f; echo new > "
		     "host/f; chmod 600 host/f");
	assert_int_equal(copy_in(world, "f", "/f"), 0);
	expect_output(world, "cat inside/f; stat -c '%u:%g %a' inside/f", "new\n7:8 640");
	shell(world, "chmod 755 inside/f");
	assert_int_equal(copy_out(world, "/f", "f"), 0);
	expect_output(world, "stat -c '%u:%g %a' host/f", "0:0 600");
}

/* Root in the name of somebody: the inside is open, the host is not. */
static void in_the_name_of_somebody(void **state)
{
	struct world *world = *state;

	need_root();
	world->person.uid = world->person.gid = SOMEBODY;
	shell(world, "echo x > host/private; chmod 600 host/private; echo y > inside/private; "
		     "chmod 600 inside/private; mkdir -m 777 host/open; mkdir -m 700 host/closed; "
		     "echo z > host/closed/z; echo o > host/public; mkdir host/t; "
		     "echo s > host/t/s; chmod 600 host/t/s; echo p > host/t/p");
	assert_int_equal(copy_in(world, "private", "/x"), -EACCES);
	assert_int_equal(copy_in(world, "closed/z", "/x"), -EACCES);
	assert_int_equal(copy_out(world, "/private", "x"), -EACCES);
	assert_int_equal(copy_out(world, "/private", "closed/x"), -EACCES);
	assert_int_equal(copy_out(world, "/private", "public"), -EACCES);
	assert_true(copy_in(world, "t", "/t") < 0);
	expect_output(world, "ls -A inside inside/t host/closed; cat host/public",
		      "host/closed:\nz\n\ninside:\nprivate\nt\n\ninside/t:\np\no");
	assert_int_equal(copy_out(world, "/private", "open/x"), 0);
	assert_int_equal(copy_in(world, "public", "/p"), 0);
	expect_output(world, "stat -c '%u:%g' host/open/x inside/p", "54321:54321\n0:0");
	assert_int_equal(geteuid(), 0);
	assert_int_equal(getegid(), 0);
}

static void in_the_name_of_a_group_member(void **state)
{
	struct world *world = *state;

	need_root();
	world->person.uid = world->person.gid = SOMEBODY;
	shell(world, "echo x > host/f; chmod 640 host/f; chgrp 4321 host/f");
	assert_int_equal(copy_in(world, "f", "/f"), -EACCES);
	world->person.groups[0] = 4321;
	world->person.n_groups = 1;
	assert_int_equal(copy_in(world, "f", "/f"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(file_out),
		test(file_in),
		test(file_out_obeys_mask),
		test(file_empty_and_large),
		test(file_sparse),
		test(place_rules),
		test(place_impossible),
		test(tree_with_links),
		test(tree_with_other_things),
		test(tree_with_strange_names),
		test(tree_nested_too_deeply),
		test(escape_from_inside),
		test(escape_on_the_way_in),
		test(link_of_host_is_not_followed_by_tree),
		test(existing_fifo_is_not_opened),
		test(views_of_the_kernel),
		test(cancelled),
		test(streams),
		test(owner_inside),
		test(replaced_file_keeps_its_looks),
		test(in_the_name_of_somebody),
		test(in_the_name_of_a_group_member),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
