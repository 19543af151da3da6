/* SPDX-License-Identifier: Apache-2.0 */
/* runtime/edit: keys in the text of configuration files, byte for byte. */
#include "edit/edit.h"
#include "base/cleanup.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

struct edit_case {
	const char *before, *section, *name, *value, *after;
};

static void check_cases(enum edit_format format, const struct edit_case *cases, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct edit_case *c = &cases[i];
		const struct plan_edit_key key = {(char *)c->section, (char *)c->name,
						  (char *)c->value};
		cleanup_text struct text after = {0};
		struct error err = {0};

		if (edit_set(format, c->before, strlen(c->before), &key, &after, &err) < 0)
			fail_msg("%zu: %s", i, err.text);
		assert_string_equal(after.data ? after.data : "", c->after);
	}
}

/* after is what the message says. */
static void check_faults(enum edit_format format, const struct edit_case *cases, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct edit_case *c = &cases[i];
		const struct plan_edit_key key = {(char *)c->section, (char *)c->name,
						  (char *)c->value};
		cleanup_text struct text after = {0};
		struct error err = {0};

		if (edit_set(format, c->before, strlen(c->before), &key, &after, &err) == 0)
			fail_msg("%zu: it was set: %s", i, after.data);
		if (!strstr(err.text, c->after))
			fail_msg("%zu: %s", i, err.text);
	}
}

static void properties_are_set_where_they_are(void **state)
{
	static const struct edit_case cases[] = {
		{"a=1\nport=80\nb=2\n", NULL, "port", "81", "a=1\nport=81\nb=2\n"},
		{"port: 80", NULL, "port", "81", "port: 81"},
		{"  port   80\n", NULL, "port", "81", "  port   81\n"},
		{"port = 80 \r\nb=1\r\n", NULL, "port", "81", "port = 81\r\nb=1\r\n"},
		{"a=1\rport=80\rb=2", NULL, "port", "81", "a=1\rport=81\rb=2"},
		{"\f\tport\t=\t80\n", NULL, "port", "", "\f\tport\t=\t\n"},
		/* of several lines */
		{"port=8\\\n   0\nb=1\n", NULL, "port", "81", "port=81\nb=1\n"},
		{"port=8\\\r\n   0\r\nb=1\r\n", NULL, "port", "81", "port=81\r\nb=1\r\n"},
		{"po\\\n  rt=80\n", NULL, "port", "81", "po\\\n  rt=81\n"},
		{"port\\\n  = 80\n", NULL, "port", "81", "port\\\n  = 81\n"},
		{"port=a\\\\\nb=1\n", NULL, "port", "81", "port=81\nb=1\n"},
		{"x=\\\nport=80\nport=81\n", NULL, "port", "82", "x=\\\nport=80\nport=82\n"},
		{"port=80\\\n\nb=1\n", NULL, "port", "81", "port=81\nb=1\n"},
		{"\\\n#port=1\\\nport=80\n", NULL, "port", "81", "\\\n#port=1\\\nport=81\n"},
		{"port=80\\", NULL, "port", "81", "port=81"},
		/* comments */
		{"#port=1\n ! port=2\nport=80\n#end", NULL, "port", "81",
		 "#port=1\n ! port=2\nport=81\n#end"},
		{"# goes not on \\\nport=80\n", NULL, "port", "81", "# goes not on \\\nport=81\n"},
		/* a key alone, and what would be read as a separator */
		{"port\nb=1\n", NULL, "port", "81", "port=81\nb=1\n"},
		{"port", NULL, "port", "81", "port=81"},
		{"port \n", NULL, "port", "=x", "port ==x\n"},
		{"port=\n", NULL, "port", ":x", "port=:x\n"},
		/* all of several */
		{"port=1\nb=2\nport=3\n", NULL, "port", "81", "port=81\nb=2\nport=81\n"},
		/* escapes */
		{"a\\ b\\=c=1\n", NULL, "a b=c", "2", "a\\ b\\=c=2\n"},
		{"\\u0070ort=1\n\\u0170ort=2\n", NULL, "port", "3", "\\u0070ort=3\n\\u0170ort=2\n"},
		{"k=1\n", NULL, "k", "a\\b\tc\nd", "k=a\\\\b\\tc\\nd\n"},
		{"k=1\n", NULL, "k", "  x y", "k=\\  x y\n"},
		{"k=1\n", NULL, "k", "\303\244\360\237\230\200", "k=\\u00E4\\uD83D\\uDE00\n"},
		/* what is not understood stays */
		{"\344=1\nk=1\n", NULL, "k", "2", "\344=1\nk=2\n"},
		{"\xef\xbb\xbf# x\nk=1\n", NULL, "k", "2", "\xef\xbb\xbf# x\nk=2\n"},
	};

	(void)state;
	check_cases(EDIT_PROPERTIES, cases, ARRAY_SIZE(cases));
}

static void properties_are_added_at_the_end(void **state)
{
	static const struct edit_case cases[] = {
		{"", NULL, "port", "81", "port=81\n"},
		{"a=1", NULL, "port", "81", "a=1\nport=81\n"},
		{"a=1\n", NULL, "port", "81", "a=1\nport=81\n"},
		{"a=1\n\n", NULL, "port", "81", "a=1\n\nport=81\n"},
		{"a=1\r\nb=2", NULL, "port", "81", "a=1\r\nb=2\r\nport=81\r\n"},
		{"a=1\r", NULL, "port", "81", "a=1\rport=81\r"},
		{"ports=1\nport.x=2\nPort=3\n", NULL, "port", "81",
		 "ports=1\nport.x=2\nPort=3\nport=81\n"},
		/* not as a part of a value that goes on */
		{"a=1\\\n", NULL, "port", "81", "a=1\\\n\nport=81\n"},
		{"a=1\\", NULL, "port", "81", "a=1\\\n\nport=81\n"},
		{"a=1\\\r\n", NULL, "port", "81", "a=1\\\r\n\r\nport=81\r\n"},
		{"x\na=1\\\r\n", NULL, "port", "81", "x\na=1\\\r\n\nport=81\n"},
		{"x\na=1\\\r", NULL, "port", "81", "x\na=1\\\r\n\nport=81\n"},
		{"a=1\\\\", NULL, "port", "81", "a=1\\\\\nport=81\n"},
		{"", NULL, "a b:c", " x", "a\\ b\\:c=\\ x\n"},
		{"", NULL, "#a", "#x", "\\#a=\\#x\n"},
	};

	(void)state;
	check_cases(EDIT_PROPERTIES, cases, ARRAY_SIZE(cases));
}

static void ini_keys_are_set_in_their_section(void **state)
{
	static const struct edit_case cases[] = {
		{"port=1\n[a]\nport=2\n[b]\nport=3\n", "a", "port", "9",
		 "port=1\n[a]\nport=9\n[b]\nport=3\n"},
		{"port=1\n[a]\nport=2\n", NULL, "port", "9", "port=9\n[a]\nport=2\n"},
		{"[a]\r\n  port  =  2  \r\nx=1\r\n", "a", "port", "9",
		 "[a]\r\n  port  =  9  \r\nx=1\r\n"},
		{"[ a ] ; x\nport: 2", "a", "port", "9", "[ a ] ; x\nport: 9"},
		{"[a]\nport\n", "a", "port", "9", "[a]\nport=9\n"},
		{"[a]\nport=\n", "a", "port", "9", "[a]\nport=9\n"},
		{"[a]\nport=2\n", "a", "port", "", "[a]\nport=\n"},
		{"[a]\n;port=1\n#port=1\nport=2 ; gone\n", "a", "port", "9",
		 "[a]\n;port=1\n#port=1\nport=9\n"},
		{"[a]\nx:y=1\n", "a", "x:y", "2", "[a]\nx:y=2\n"},
		{"\xef\xbb\xbf[a]\nport=2\n", "a", "port", "9", "\xef\xbb\xbf[a]\nport=9\n"},
		{"[a]\nport=1\n[b]\nx=1\n[a]\ny=1\n", "a", "port", "9",
		 "[a]\nport=9\n[b]\nx=1\n[a]\ny=1\n"},
		/* as in the files of git, all keys are indented */
		{"[a]\n\tx = 1\n\tport = 2\n\ty = 3\n", "a", "port", "9",
		 "[a]\n\tx = 1\n\tport = 9\n\ty = 3\n"},
		{"[a]\nport=2\n  ; a comment\n\n", "a", "port", "9",
		 "[a]\nport=9\n  ; a comment\n\n"},
		{"[\344]\nx=\344\n[a]\nk=1", "a", "k", "\303\244",
		 "[\344]\nx=\344\n[a]\nk=\303\244"},
	};

	(void)state;
	check_cases(EDIT_INI, cases, ARRAY_SIZE(cases));
}

static void ini_keys_are_added_to_their_section(void **state)
{
	static const struct edit_case cases[] = {
		{"", "a", "k", "1", "[a]\nk=1\n"},
		{"", NULL, "k", "1", "k=1\n"},
		{"x=1", "a", "k", "1", "x=1\n[a]\nk=1\n"},
		{"[a]", "a", "k", "1", "[a]\nk=1\n"},
		{"[b]\r\nx=1\r\n", "a", "k", "1", "[b]\r\nx=1\r\n[a]\r\nk=1\r\n"},
		{"[a]\nx=1\n\n; of b\n[b]\ny=1\n", "a", "k", "1",
		 "[a]\nx=1\nk=1\n\n; of b\n[b]\ny=1\n"},
		{"[a]\nx=1\n[b]\n[a]\n\n", "a", "k", "1", "[a]\nx=1\n[b]\n[a]\nk=1\n\n"},
		{"[b]\nk=2\n", NULL, "k", "1", "k=1\n[b]\nk=2\n"},
		{"x=1\n\n[b]\nk=2\n", NULL, "k", "1", "x=1\nk=1\n\n[b]\nk=2\n"},
		{"\xef\xbb\xbf[b]\n", NULL, "k", "1", "\xef\xbb\xbfk=1\n[b]\n"},
		{"\xef\xbb\xbf", NULL, "k", "1", "\xef\xbb\xbfk=1\n"},
		{"\xef\xbb\xbf", "a", "k", "1", "\xef\xbb\xbf[a]\nk=1\n"},
		{"[b]\rx=1", "a", "k", "1", "[b]\rx=1\n[a]\nk=1\n"},
		{"[a]\nkey=1\nK=2\n", "a", "k", "1", "[a]\nkey=1\nK=2\nk=1\n"},
	};

	(void)state;
	check_cases(EDIT_INI, cases, ARRAY_SIZE(cases));
}

static void ini_faults_are_said(void **state)
{
	static const struct edit_case cases[] = {
		{"[a]\nk=1\nk=2\n", "a", "k", "3", "more than once"},
		{"[a]\nk=1\n[b]\n[a]\nk : 2\n", "a", "k", "3", "more than once"},
		{"[a]\nk=1\n  more\n", "a", "k", "3", "goes on in the next line"},
		{"[a]\nk=1 \\\nmore\n", "a", "k", "3", "goes on in the next line"},
		{"", "a", "", "3", "is empty"},
		{"", "a", "a=b", "3", "mean something else"},
		{"", "a", " a", "3", "blank"},
		{"", "a", "[a", "3", "mean something else"},
		{"", "a", ";a", "3", "mean something else"},
		{"", NULL, "\xef\xbb\xbfk", "3", "mean something else"},
		{"", "a]b", "k", "3", "in a section whose name has"},
		{"", "", "k", "3", "in a section whose name is empty"},
		{"", "a", "k", "1\n2", "several lines"},
		{"", "a", "k", " 1", "blank"},
		{"", "a", "k", "1\\", "backslash"},
		{"[a]\nx=1\n  [b]\n", "a", "k", "1", "cannot be added"},
		{"  [b]\n", NULL, "k", "1", "cannot be added"},
		{"[a]\nx=1\\\n[b]\n", "a", "k", "1", "cannot be added"},
	};

	(void)state;
	check_faults(EDIT_INI, cases, ARRAY_SIZE(cases));
}

#define CONNECTOR "Server/Service/Connector@port"

static void xml_attributes_are_set(void **state)
{
	static const struct edit_case cases[] = {
		{"<a b=\"1\"/>", NULL, "a@b", "2", "<a b=\"2\"/>"},
		{"<a b='1'></a>\n", NULL, "/a@b", "2", "<a b='2'></a>\n"},
		{"<a/>", NULL, "a@b", "2", "<a b=\"2\"/>"},
		{"<a  />", NULL, "a@b", "2", "<a b=\"2\"  />"},
		{"<a c='1' >x</a>", NULL, "a@b", "2", "<a c='1' b=\"2\" >x</a>"},
		{"\xef\xbb\xbf<?xml version='1.0'?>\r\n<!-- <a b='0'/> -->\r\n<a\r\n  b = "
		 "'1'\r\n/>",
		 NULL, "a@b", "2",
		 "\xef\xbb\xbf<?xml version='1.0'?>\r\n<!-- <a b='0'/> -->\r\n<a\r\n  b = "
		 "'2'\r\n/>"},
		{"<Server port='1'><Service><Connector port='2'/></Service></Server>", NULL,
		 CONNECTOR, "9",
		 "<Server port='1'><Service><Connector port='9'/></Service></Server>"},
		{"<a><b n='x' p='1'/><b n='y' p='1'/></a>", NULL, "a/b[@n='y']@p", "2",
		 "<a><b n='x' p='1'/><b n='y' p='2'/></a>"},
		{"<a><b n='x'><c p='1'/></b><b n='y'><c p='1'/></b></a>", NULL, "a/b[@n=\"y\"]/c@p",
		 "2", "<a><b n='x'><c p='1'/></b><b n='y'><c p='2'/></b></a>"},
		{"<a><b n='x' m='1'/><b n='x' m='2'/></a>", NULL, "a/b[@n='x'][@m='2']@p", "3",
		 "<a><b n='x' m='1'/><b n='x' m='2' p=\"3\"/></a>"},
		{"<a><b n='&#x41;&amp;&quot;' p='1'/></a>", NULL, "a/b[@n='A&\"']@p", "2",
		 "<a><b n='&#x41;&amp;&quot;' p='2'/></a>"},
		{"<a><x><b p='1'/></x><b p='2'/></a>", NULL, "a/b@p", "3",
		 "<a><x><b p='1'/></x><b p='3'/></a>"},
		{"<a><a><b p='1'/></a><b p='2'/></a>", NULL, "a/a/b@p", "3",
		 "<a><a><b p='3'/></a><b p='2'/></a>"},
		{"<a><![CDATA[<b p='0'>]]><?x <b p='0'/> ?><b p='1'/></a>", NULL, "a/b@p", "2",
		 "<a><![CDATA[<b p='0'>]]><?x <b p='0'/> ?><b p='2'/></a>"},
		{"<!DOCTYPE a [<!ENTITY e '<b p=\"0\"/>]>'><!-- ' ]> --><?x '?>]>\n<a><b "
		 "p='1'/></a>",
		 NULL, "a/b@p", "2",
		 "<!DOCTYPE a [<!ENTITY e '<b p=\"0\"/>]>'><!-- ' ]> --><?x '?>]>\n<a><b "
		 "p='2'/></a>"},
		{"<a b='x>y' c='1'/>", NULL, "a@c", "2", "<a b='x>y' c='2'/>"},
		{"<x:a x:b='1' b='2'/>", NULL, "x:a@x:b", "3", "<x:a x:b='3' b='2'/>"},
		{"<a b='1'/>", NULL, "a@b", "<&\">'\n\303\244",
		 "<a b='&#60;&#38;&#34;&#62;&#39;&#10;&#228;'/>"},
		{"<a b='1'>\344</a>", NULL, "a@b", "2", "<a b='2'>\344</a>"},
	};

	(void)state;
	check_cases(EDIT_XML, cases, ARRAY_SIZE(cases));
}

static void xml_faults_are_said(void **state)
{
	static const struct edit_case cases[] = {
		{"", NULL, "a@b", "1", "is not there"},
		{"<a/>", NULL, "b@b", "1", "is not there"},
		{"<a><b/></a>", NULL, "b@b", "1", "is not there"},
		{"<a><b/></a>", NULL, "a/b/c@d", "1", "is not there"},
		{"<a><b n='x'/></a>", NULL, "a/b[@n='y']@p", "1", "is not there"},
		{"<a><b/><b/></a>", NULL, "a/b@c", "1", "is there 2 times"},
		{"<a>\n</b></a>", NULL, "a@b", "1", "in line 2"},
		{"<a>", NULL, "a@b", "1", "does not end"},
		{"<a b='1", NULL, "a@b", "1", "well-formed"},
		{"<a b=1/>", NULL, "a@b", "1", "well-formed"},
		{"<a b/>", NULL, "a@b", "1", "well-formed"},
		{"<a / >", NULL, "a@b", "1", "well-formed"},
		{"<a/><a/>", NULL, "a@b", "1", "second document"},
		{"<a>1 < 2</a>", NULL, "a@b", "1", "begins no tag"},
		{"<!-- <a/>", NULL, "a@b", "1", "does not end"},
		{"<!DOCTYPE a [<a/>", NULL, "a@b", "1", "does not end"},
		{"<a b='1'><c></a></c>", NULL, "a@b", "1", "innermost"},
		{"</a>", NULL, "a@b", "1", "innermost"},
		{"<a", NULL, "a@b", "1", "well-formed"},
		{"<", NULL, "a@b", "1", "well-formed"},
		{"<a/>", NULL, "a", "1", "is no path"},
		{"<a/>", NULL, "@a", "1", "is no path"},
		{"<a/>", NULL, "a//b@c", "1", "is no path"},
		{"<a/>", NULL, "a/@c", "1", "is no path"},
		{"<a/>", NULL, "a[b='c']@d", "1", "is no path"},
		{"<a/>", NULL, "a[@b='c]@d", "1", "is no path"},
		{"<a/>", NULL, "a[@b=c]@d", "1", "is no path"},
		{"<a/>", NULL, "a@b/c", "1", "is no path"},
		{"<a/>", NULL, "", "1", "is no path"},
	};

	(void)state;
	check_faults(EDIT_XML, cases, ARRAY_SIZE(cases));
}

static void xml_that_is_too_deep_is_refused(void **state)
{
	const struct plan_edit_key key = {NULL, (char *)"a@b", (char *)"1"};
	cleanup_text struct text deep = {0}, after = {0};
	struct error err = {0};

	(void)state;
	for (int i = 0; i < 300; i++)
		text_add(&deep, "<a>");
	assert_true(edit_set(EDIT_XML, deep.data, deep.length, &key, &after, &err) < 0);
	assert_non_null(strstr(err.text, "more than 256 elements"));
}

static void edit_set_of_what_is_no_text(void **state)
{
	static const char utf16[] = "\xff\xfek\0=\0001\0\n\0";
	static const char *const names[EDIT_FORMATS] = {"k", "k", "k@k"};
	size_t size = EDIT_SIZE_MAX + 1;
	cleanup_free char *large = xcalloc(size, 1);

	(void)state;
	memset(large, 'x', size);
	for (int i = 0; i < EDIT_FORMATS; i++) {
		const struct plan_edit_key key = {NULL, (char *)names[i], (char *)"1"};
		cleanup_text struct text after = {0};
		struct error err = {0};

		assert_true(edit_set(i, utf16, sizeof(utf16) - 1, &key, &after, &err) < 0);
		assert_non_null(strstr(err.text, "UTF-16"));
		assert_true(edit_set(i, large, size, &key, &after, &err) < 0);
		assert_string_equal(err.text, "is too large; at most 16 MiB");
		assert_null(after.data);
	}
}

/* One line of all that is allowed, with the key behind it. */
static void edit_set_of_the_longest_line(void **state)
{
	static const struct {
		const char *start, *end, *name, *wanted;
	} formats[EDIT_FORMATS] = {
		{"a=", "\nk=1", "k", "\nk=2"},
		{"a=", "\nk=1", "k", "\nk=2"},
		{"<k a='", "' k='1'/>", "k@k", "' k='2'/>"},
	};

	(void)state;
	for (int i = 0; i < EDIT_FORMATS; i++) {
		const struct plan_edit_key key = {NULL, (char *)formats[i].name, (char *)"2"};
		size_t n = strlen(formats[i].start), rest = strlen(formats[i].end);
		cleanup_free char *large = xcalloc(EDIT_SIZE_MAX, 1);
		cleanup_text struct text after = {0};
		struct error err = {0};

		memset(large, 'x', EDIT_SIZE_MAX);
		memcpy(large, formats[i].start, n);
		memcpy(large + EDIT_SIZE_MAX - rest, formats[i].end, rest);
		assert_int_equal(edit_set(i, large, EDIT_SIZE_MAX, &key, &after, &err), 0);
		assert_int_equal(after.length, EDIT_SIZE_MAX);
		assert_memory_equal(after.data, large, EDIT_SIZE_MAX - rest);
		assert_string_equal(after.data + EDIT_SIZE_MAX - rest, formats[i].wanted);
	}
}

static void properties_check_of_bad_keys(void **state)
{
	static const struct edit_case cases[] = {
		{"", NULL, "", "1", "no key"},
		{"", NULL, "\303\244", "1", "beyond ASCII"},
	};

	(void)state;
	check_faults(EDIT_PROPERTIES, cases, ARRAY_SIZE(cases));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(properties_are_set_where_they_are),
		cmocka_unit_test(properties_are_added_at_the_end),
		cmocka_unit_test(properties_check_of_bad_keys),
		cmocka_unit_test(ini_keys_are_set_in_their_section),
		cmocka_unit_test(ini_keys_are_added_to_their_section),
		cmocka_unit_test(ini_faults_are_said),
		cmocka_unit_test(xml_attributes_are_set),
		cmocka_unit_test(xml_faults_are_said),
		cmocka_unit_test(xml_that_is_too_deep_is_refused),
		cmocka_unit_test(edit_set_of_what_is_no_text),
		cmocka_unit_test(edit_set_of_the_longest_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
