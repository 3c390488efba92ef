/*
 * mask.c
 *	  How many pseudonyms of each format, and values of each kind in each
 *	  locale, one core makes in a second of its time.
 *
 *	mask [seconds [name]]
 *
 * seconds: of each.  name: of the one format or kind that is measured.  Prints
 * lines "pseudonym format rate" and "kind slowest-locale rate".
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "mask/generate.h"
#include "mask/pseudonym.h"

#define BATCH	1000			/* values between two looks at the clock */

static const GsPseudonymKey key = {{UINT64_C(0x0706050403020100),
UINT64_C(0x0f0e0d0c0b0a0908)}};

static double
cpu_seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return now.tv_sec + now.tv_nsec * 1e-9;
}

/* 1000 pseudonyms of a chain that begins with a text, so all differ. */
static void
pseudonyms(const char *text, int64_t number)
{
	char		value[128];
	size_t		len = text ? strlen(text) : 0;

	if (text)
		memcpy(value, text, len + 1);
	for (int i = 0; i < BATCH; i++)
	{
		if (!text)
			number = gs_pseudonym_integer(&key, number, INT64_MAX);
		else if (!gs_pseudonym_text(&key, value, len, true))
			exit(1);
	}
}

static void
values(GsKindId kind, int locale, uint64_t row)
{
	GsFakeSetup setup = {.locale = locale};
	GsFakeWant	want = {0};
	char		value[GS_FAKE_BYTES];

	for (int i = 0; i < BATCH; i++)
	{
		uint64_t	random[2] = {row + i, row * 31 + i};
		GsFake		fake;

		gs_fake_begin(&fake, &setup, random);
		if (gs_fake_value(&fake, kind, &want, value) < 0)
			exit(1);
	}
}

static double
rate_of_pseudonyms(const char *text, int64_t number, double seconds)
{
	double		begin = cpu_seconds();
	double		n = 0;

	while (cpu_seconds() - begin < seconds)
	{
		pseudonyms(text, number);
		n += BATCH;
	}
	return n / (cpu_seconds() - begin);
}

static double
rate_of_values(GsKindId kind, int locale, double seconds)
{
	double		begin = cpu_seconds();
	double		n = 0;

	while (cpu_seconds() - begin < seconds)
	{
		values(kind, locale, (uint64_t) n);
		n += BATCH;
	}
	return n / (cpu_seconds() - begin);
}

int
main(int argc, char **argv)
{
	static const struct
	{
		const char *name;
		const char *text;
		int64_t		number;
	}			formats[] = {
		{"integer", NULL, 123456}, {"bigint", NULL, INT64_C(1) << 50},
		{"ssn", "123-45-6789", 0}, {"name", "Walker", 0},
		{"phone", "+12125550143", 0}, {"code", "AB-1207", 0},
		{"e-mail", "john.walker83@example.com", 0},
		{"card", "4111111111111111", 0},
		{"uuid", "f81d4fae-7dec-41d0-a765-00a0c91e6bf6", 0},
		{"iban", "DE89370400440532013000", 0},
		{"hex", "9e107d9d372bb6826bd81d3542a419d6", 0},
		{"street", "1234 Philadelphia Avenue", 0},
		{"cyrillic", "Александр", 0},
		{"text of 60", "The quick brown fox jumps over the lazy dogs of 12 "
		"hamlets.", 0}
	};
	double		seconds = argc > 1 ? atof(argv[1]) : 0.2;
	const char *only = argc > 2 ? argv[2] : NULL;

	for (size_t i = 0; i < sizeof(formats) / sizeof(*formats); i++)
		if (!only || strcmp(only, formats[i].name) == 0)
			printf("pseudonym\t%s\t%.0f\n", formats[i].name,
				   rate_of_pseudonyms(formats[i].text, formats[i].number,
									  seconds));
	for (int kind = 0; kind < GS_KIND_COUNT; kind++)
	{
		double		slowest = 0;
		int			at = 0;

		if (only && strcmp(only, gs_kinds[kind].name) != 0)
			continue;
		for (int locale = 0; locale < GS_LOCALE_COUNT; locale++)
		{
			double		rate = rate_of_values(kind, locale, seconds / 5);

			if (locale == 0 || rate < slowest)
			{
				slowest = rate;
				at = locale;
			}
		}
		printf("%s\t%s\t%.0f\n", gs_kinds[kind].name, gs_locale_names[at],
			   slowest);
	}
	return 0;
}
