/*
 * generate.c
 *	  Values of kinds for one row: what the row's person is like, and the form
 *	  of a value that fits its column.
 *
 * generate_name.c makes names and what is made of them, generate_place.c
 * places, generate_number.c numbers and addresses of machines.
 *
 * Plain C: no postgres.h.
 */
#include <limits.h>
#include <stddef.h>
#include <string.h>

#include "mask/generate_internal.h"
#include "numeric/philox.h"

#define FORMS			16		/* that are tried */
#define BIRTH_LEAST		(-10957)	/* 1940-01-01 */
#define BIRTH_MOST		13513	/* 2006-12-31 */

/*
 * gs_fake_begin: a row of which nothing is known but its random bits.
 */
void
gs_fake_begin(GsFake *fake, const GsFakeSetup *setup, const uint64_t random[2])
{
	memset(fake, 0, offsetof(GsFake, names));
	fake->setup = setup;
	fake->random[0] = random[0];
	fake->random[1] = random[1];
	fake->locale = -1;
	fake->place = -1;
	fake->birth = INT_MIN;
	fake->birth_least = BIRTH_LEAST;
	fake->birth_most = BIRTH_MOST;
}

/*
 * gs_fake_keep: see generate.h.
 */
void
gs_fake_keep(GsFake *fake, GsKindId kind, const char *text, int len)
{
	fake->kept[kind].text = text;
	fake->kept[kind].len = len;
}

/*
 * gs_fake_keep_birth: see generate.h.
 */
void
gs_fake_keep_birth(GsFake *fake, int first, int last)
{
	fake->birth_least = first;
	fake->birth_most = last;
}

/*
 * gs_fake_bits: 64 random bits for a trait.
 */
uint64_t
gs_fake_bits(const GsFake *fake, int trait)
{
	return gs_mix64(fake->random[0] +
					UINT64_C(0x9e3779b97f4a7c15) * (trait + 1),
					fake->random[1]);
}

/*
 * gs_put: a text.
 */
char *
gs_put(char *out, const char *text)
{
	size_t		n = strlen(text);

	memcpy(out, text, n + 1);
	return out + n;
}

/*
 * gs_put_char: a character.
 */
char *
gs_put_char(char *out, char c)
{
	out[0] = c;
	out[1] = '\0';
	return out + 1;
}

/*
 * gs_put_number: a number in decimal, with zeros before it up to a width.
 */
char *
gs_put_number(char *out, uint64_t number, int width)
{
	char		digits[20];
	int			n = 0;

	for (; number > 0 || n < width; number /= 10)
		digits[n++] = (char) ('0' + number % 10);
	while (n > 0)
		*out++ = digits[--n];
	*out = '\0';
	return out;
}

/*
 * gs_fake_below: a number below n made of random bits.
 */
uint32_t
gs_fake_below(uint64_t bits, uint32_t n)
{
	return (uint32_t) (((unsigned __int128) bits * n) >> 64);
}

/*
 * gs_fake_stream: random numbers for a value that takes several.
 */
void
gs_fake_stream(const GsFake *fake, int trait, GsFakeBits *bits)
{
	bits->key = gs_fake_bits(fake, trait);
	bits->n = 0;
}

/*
 * gs_fake_next: the next number below n of a stream.
 */
uint32_t
gs_fake_next(GsFakeBits *bits, uint32_t n)
{
	return gs_fake_below(gs_mix64(bits->key, bits->n++), n);
}

/*
 * gs_fake_fill: a form's places filled: # a digit, @ a letter, anything else
 * as it is.  Returns the bytes, and writes a 0 behind them.
 */
int
gs_fake_fill(GsFakeBits *bits, const char *form, char *out)
{
	int			n = 0;

	for (; *form; form++)
		out[n++] = *form == '#' ? '0' + gs_fake_next(bits, 10) :
			*form == '@' ? 'A' + gs_fake_next(bits, 26) : *form;
	out[n] = '\0';
	return n;
}

/*
 * gs_fake_locale: the one that was asked for, else that of the row's country,
 * else en_US.
 */
int
gs_fake_locale(GsFake *fake)
{
	if (fake->locale < 0)
	{
		static const GsKindId kinds[] = {
			GS_KIND_COUNTRY_CODE, GS_KIND_COUNTRY
		};

		fake->locale = fake->setup->locale;
		for (int i = 0; i < 2 && fake->locale < 0; i++)
			if (fake->kept[kinds[i]].text)
				fake->locale = gs_locale_by_country(fake->kept[kinds[i]].text,
													fake->kept[kinds[i]].len);
		if (fake->locale < 0)
			fake->locale = GS_LOCALE_EN_US;
	}
	return fake->locale;
}

/*
 * gs_fake_sex: what the row says, else either.
 */
GsSex
gs_fake_sex(GsFake *fake)
{
	if (fake->sex == GS_SEX_UNKNOWN && fake->kept[GS_KIND_SEX].text)
		fake->sex = gs_sex_of(fake->kept[GS_KIND_SEX].text,
							  fake->kept[GS_KIND_SEX].len);
	if (fake->sex == GS_SEX_UNKNOWN)
		fake->sex = gs_fake_bits(fake, GS_TRAIT_SEX) >> 63 ?
			GS_SEX_MALE : GS_SEX_FEMALE;
	return fake->sex;
}

/* Days since 1970-01-01 of a day of the Gregorian calendar. */
static int
days_of(int year, int month, int day)
{
	int			y = year - (month <= 2);
	int			era = y / 400;
	int			of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 +
		day - 1;

	y -= era * 400;
	return era * 146097 + y * 365 + y / 4 - y / 100 + of_year - 719468;
}

/*
 * gs_fake_civil: the day of the Gregorian calendar, of years from 0 on.
 */
void
gs_fake_civil(int days, int *year, int *month, int *day)
{
	int			z = days + 719468;
	int			era = z / 146097;
	int			of_era = z - era * 146097;
	int			y = (of_era - of_era / 1460 + of_era / 36524 -
					 of_era / 146096) / 365;
	int			of_year = of_era - (365 * y + y / 4 - y / 100);
	int			m = (5 * of_year + 2) / 153;

	*day = of_year - (153 * m + 2) / 5 + 1;
	*month = m < 10 ? m + 3 : m - 9;
	*year = y + era * 400 + (*month <= 2);
}

static int
number_at(const char *text, int n)
{
	int			number = 0;

	for (int i = 0; i < n; i++)
		number = number * 10 + text[i] - '0';
	return number;
}

/*
 * gs_fake_birth: the row's birth date, days since 1970-01-01.
 */
int
gs_fake_birth(GsFake *fake)
{
	const GsFakeText *kept = &fake->kept[GS_KIND_BIRTH_DATE];

	if (fake->birth == INT_MIN && kept->text &&
		gs_kind_matches(&gs_kinds[GS_KIND_BIRTH_DATE], kept->text, kept->len))
		fake->birth = days_of(number_at(kept->text, 4),
							  number_at(kept->text + 5, 2),
							  number_at(kept->text + 8, 2));
	if (fake->birth == INT_MIN)
		fake->birth = fake->birth_least +
			gs_fake_below(gs_fake_bits(fake, GS_TRAIT_BIRTH),
						  fake->birth_most - fake->birth_least + 1);
	return fake->birth;
}

/*
 * gs_fake_listed: a value of the user's own list of a kind; NULL if there is
 * none for the locale.
 */
const char *
gs_fake_listed(const GsFake *fake, GsKindId kind, int locale, uint64_t bits)
{
	for (int i = 0; i < fake->setup->nlists; i++)
	{
		const GsFakeList *list = &fake->setup->lists[i];
		double		point = (bits >> 11) * 0x1p-53;
		int			low = 0;
		int			high = list->n - 1;

		if (list->kind != kind ||
			(list->locale >= 0 && list->locale != locale))
			continue;
		while (low < high)
		{
			int			middle = (low + high) / 2;

			if (list->upto[middle] > point)
				high = middle;
			else
				low = middle + 1;
		}
		return list->values[low];
	}
	return NULL;
}

static int
listed_value(GsFake *fake, GsKindId kind, int form, char *out)
{
	int			trait = GS_TRAIT_KIND + kind + form * GS_TRAIT_AGAIN;
	const char *value = gs_fake_listed(fake, kind, gs_fake_locale(fake),
									   gs_fake_bits(fake, trait));
	int			len;

	if (!value || (len = strlen(value)) >= GS_FAKE_BYTES)
		return -1;
	memcpy(out, value, len + 1);
	return len;
}

static int
one_form(GsFake *fake, GsKindId kind, const GsFakeWant *want, int form,
		 char *out)
{
	switch (kind)
	{
		case GS_KIND_EMAIL:
		case GS_KIND_FIRST_NAME:
		case GS_KIND_LAST_NAME:
		case GS_KIND_FULL_NAME:
		case GS_KIND_USER_NAME:
		case GS_KIND_SEX:
		case GS_KIND_BIRTH_DATE:
			return gs_fake_name(fake, kind, want, form, out);
		case GS_KIND_STREET_ADDRESS:
		case GS_KIND_CITY:
		case GS_KIND_POSTCODE:
		case GS_KIND_STATE:
		case GS_KIND_STATE_CODE:
		case GS_KIND_COUNTRY:
		case GS_KIND_COUNTRY_CODE:
		case GS_KIND_LATITUDE:
		case GS_KIND_LONGITUDE:
		case GS_KIND_COORDINATES:
			return gs_fake_place(fake, kind, want, form, out);
		default:
			return gs_fake_number(fake, kind, want, form, out);
	}
}

/* The digits of a text; -1 where there are letters, which would be lost. */
static int
only_digits(char *text, int len)
{
	int			n = 0;

	for (int i = 0; i < len; i++)
	{
		if (text[i] >= '0' && text[i] <= '9')
			text[n++] = text[i];
		else if (!strchr(" +-./()", text[i]))
			return -1;
	}
	text[n] = '\0';
	return n;
}

/* Without what ASCII does not have. */
static int
to_ascii(GsFake *fake, char *text, int len)
{
	char		latin[GS_FAKE_BYTES];
	int			i;

	for (i = 0; i < len && (text[i] & 0x80) == 0; i++)
		;
	if (i == len)
		return len;
	len = gs_latin_text(text, len, gs_fake_locale(fake), latin, sizeof(latin));
	memcpy(text, latin, len + 1);
	return len;
}

/*
 * gs_fake_value: see generate.h.
 */
int
gs_fake_value(GsFake *fake, GsKindId kind, const GsFakeWant *want,
			  char *buffer)
{
	/* an own list of the kind is all that its values are taken from */
	bool		listed = fake->setup->nlists > 0 &&
		gs_fake_listed(fake, kind, gs_fake_locale(fake), 0) != NULL;

	for (int form = 0; form < FORMS; form++)
	{
		int			n = listed ? listed_value(fake, kind, form, buffer) :
			one_form(fake, kind, want, form, buffer);

		if (n < 0)
			return -1;
		if (fake->setup->ascii)
			n = to_ascii(fake, buffer, n);
		if (want->digits)
			n = only_digits(buffer, n);
		if (n > 0 && (want->max_chars == 0 || n <= want->max_chars ||
					  gs_utf8_chars(buffer, n) <= want->max_chars))
			return n;
	}
	return -1;
}
