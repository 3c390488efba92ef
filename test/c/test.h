/*
 * test.h
 *	  A tiny harness for tests of the plain-C rooms, printing TAP.
 *
 * A test program is one file with a main() that makes checks and ends with
 * "return test_done();".  Each CHECK is one TAP line; a test that looks at
 * many values counts failures in a loop and checks the count.
 */
#ifndef GENSYNTH_TEST_H
#define GENSYNTH_TEST_H

#include <math.h>
#include <stdbool.h>
#include <stdio.h>

static int	test_count = 0;
static int	test_failures = 0;

static inline bool
test_check(bool ok, const char *name, const char *file, int line)
{
	test_count++;
	printf("%s %d - %s\n", ok ? "ok" : "not ok", test_count, name);
	if (!ok)
	{
		test_failures++;
		printf("# failed at %s:%d\n", file, line);
	}
	fflush(stdout);
	return ok;
}

static inline bool
test_check_near(double value, double expected, double tolerance,
				const char *name, const char *file, int line)
{
	bool		ok = fabs(value - expected) <= tolerance;

	test_check(ok, name, file, line);
	if (!ok)
		printf("# got %.17g, expected %.17g within %g\n", value, expected,
			   tolerance);
	return ok;
}

/* Prints the plan; returns main()'s exit code. */
static inline int
test_done(void)
{
	printf("1..%d\n", test_count);
	return test_failures == 0 ? 0 : 1;
}

/* the condition "ok" holds */
#define CHECK(ok, name) test_check((ok), (name), __FILE__, __LINE__)

/* |value - expected| <= tolerance; a NaN fails */
#define CHECK_NEAR(value, expected, tolerance, name) \
	test_check_near((value), (expected), (tolerance), (name), \
					__FILE__, __LINE__)

#endif
