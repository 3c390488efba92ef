/*
 * check_digit.c
 *	  Numbers that carry check digits.
 *
 * Digits are read from the right, whatever stands between them.  Luhn: US
 * patent 2,950,048 (1960).  GTIN and ABA: weighted sums modulo 10; ISBN-10 and
 * its like: modulo 11, ten being an X.  IBAN and LEI: ISO 7064, MOD 97-10, a
 * letter being a number of two digits.
 *
 * Plain C: no postgres.h.
 */
#include "text/check_digit.h"

#define MIN_DIGITS		8
#define MIN_VALUES		50		/* that must have it, for it not to be chance */
#define MIN_SHARE		0.99	/* of all values */

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool
is_letter(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

static int
weight_of(GsCheckDigit check, int place)
{
	static const int aba[] = {1, 7, 3};

	switch (check)
	{
		case GS_CHECK_GTIN:
			return place % 2 == 0 ? 1 : 3;
		case GS_CHECK_ABA:
			return aba[place % 3];
		default:
			return place + 1;
	}
}

/* The sum of the digits of each second digit's double. */
static int
luhn_sum(const char *text, int len, int *n)
{
	static const signed char doubles[] = {0, 2, 4, 6, 8, 1, 3, 5, 7, 9};
	int			sum = 0;
	int			digits = 0;

	for (int i = len - 1; i >= 0; i--)
		if (is_digit(text[i]))
			sum += digits++ % 2 == 0 ? text[i] - '0' : doubles[text[i] - '0'];
	*n = digits;
	return sum;
}

static int
weighted_sum(GsCheckDigit check, const char *text, int len, int *digits)
{
	int			sum = 0;
	int			n = 0;

	for (int i = len - 1; i >= 0; i--)
	{
		int			digit = text[i] - '0';

		if (check == GS_CHECK_MOD11 && n == 0 && text[i] == 'X')
			digit = 10;
		else if (!is_digit(text[i]))
			continue;
		sum += digit * weight_of(check, n++);
	}
	*digits = n;
	return sum;
}

static bool
sum_holds(GsCheckDigit check, const char *text, int len)
{
	int			n;
	int			sum = check == GS_CHECK_LUHN ? luhn_sum(text, len, &n) :
		weighted_sum(check, text, len, &n);

	/* nothing but zeros says nothing */
	return n >= MIN_DIGITS && sum > 0 &&
		sum % (check == GS_CHECK_MOD11 ? 11 : 10) == 0;
}

/* The rest with one more character; it is taken modulo 97 now and then. */
static uint64_t
take_97(uint64_t rest, char c, int *n)
{
	uint64_t	next;

	if (is_digit(c))
		next = rest * 10 + (uint64_t) (c - '0');
	else if (is_letter(c))
		next = rest * 100 + (uint64_t) (c & 31) + 9;
	else
		return rest;
	(*n)++;
	return next < UINT64_C(100000000000000000) ? next : next % 97;
}

/* Where the characters of an IBAN begin that follow its check digits; or -1. */
static int
iban_start(const char *text, int len)
{
	int			n = 0;

	for (int i = 0; i < len; i++)
	{
		if (!is_digit(text[i]) && !is_letter(text[i]))
			continue;
		if (n < 2 ? !is_letter(text[i]) : !is_digit(text[i]))
			return -1;
		if (++n == 4)
			return i + 1;
	}
	return -1;
}

/* A text as one number, modulo 97; 0 for an IBAN that is none. */
static int
rest_97(GsCheckDigit check, const char *text, int len, int *digits)
{
	int			start = check == GS_CHECK_IBAN ? iban_start(text, len) : 0;
	uint64_t	rest = 0;
	int			n = 0;

	*digits = 0;
	if (start < 0)
		return 0;
	for (int i = start; i < len; i++)
		rest = take_97(rest, text[i], &n);
	for (int i = 0; i < start; i++)
		rest = take_97(rest, text[i], &n);
	*digits = n;
	return (int) (rest % 97);
}

static bool
mod97_holds(GsCheckDigit check, const char *text, int len)
{
	int			n;

	return rest_97(check, text, len, &n) == 1 && n >= MIN_DIGITS;
}

/*
 * gs_check_holds: whether a text has the check digits that it should have.
 */
bool
gs_check_holds(GsCheckDigit check, const char *text, int len)
{
	if (check == GS_CHECK_IBAN || check == GS_CHECK_MOD97)
		return mod97_holds(check, text, len);
	return sum_holds(check, text, len);
}

/*
 * gs_check_places: where in a text its check digits are.
 *
 * places: filled.  Returns how many there are: one or two, or 0 in a text
 * that can have none.
 */
int
gs_check_places(GsCheckDigit check, const char *text, int len, int places[2])
{
	int			wanted = check == GS_CHECK_IBAN || check == GS_CHECK_MOD97 ?
		2 : 1;
	int			end = check == GS_CHECK_IBAN ? iban_start(text, len) : len;
	int			n = 0;

	for (int i = end - 1; i >= 0 && n < wanted; i--)
	{
		if (is_digit(text[i]) ||
			(check == GS_CHECK_MOD11 && text[i] == 'X'))
			places[n++] = i;
	}
	return n == wanted ? n : 0;
}

/*
 * gs_check_set: gives a text the check digits that it should have.  One that
 * can have none stays as it is.
 */
void
gs_check_set(GsCheckDigit check, char *text, int len)
{
	int			places[2];
	int			n = check == GS_CHECK_NONE ? 0 :
		gs_check_places(check, text, len, places);
	char		before[2];
	int			value;
	int			digits;

	if (n == 0)
		return;
	for (int k = 0; k < n; k++)
	{
		before[k] = text[places[k]];
		text[places[k]] = '0';
	}
	/* the last digit weighs 1; two of them are 02 to 98 */
	if (n == 2)
		value = 98 - rest_97(check, text, len, &digits);
	else if (check == GS_CHECK_MOD11)
		value = 10 - (weighted_sum(check, text, len, &digits) + 10) % 11;
	else
		value = 9 - ((check == GS_CHECK_LUHN ? luhn_sum(text, len, &digits) :
					  weighted_sum(check, text, len, &digits)) + 9) % 10;
	text[places[0]] = (char) (n == 1 && value == 10 ? 'X' : '0' + value % 10);
	if (n == 2)
		text[places[1]] = (char) ('0' + value / 10);
	if (gs_check_holds(check, text, len))
		return;
	for (int k = 0; k < n; k++)
		text[places[k]] = before[k];
}

/*
 * gs_check_count: counts a value.
 */
void
gs_check_count(GsCheckTally *tally, const char *text, int len)
{
	tally->values++;
	for (GsCheckDigit check = GS_CHECK_NONE + 1; check < GS_CHECK_COUNT;
		 check++)
		tally->valid[check] += gs_check_holds(check, text, len);
}

/*
 * gs_check_found: the check digits that nearly all values have; distinct ones
 * are to be counted.
 */
GsCheckDigit
gs_check_found(const GsCheckTally *tally)
{
	for (GsCheckDigit check = GS_CHECK_NONE + 1; check < GS_CHECK_COUNT;
		 check++)
		if (tally->values >= MIN_VALUES &&
			tally->valid[check] >= MIN_SHARE * tally->values)
			return check;
	return GS_CHECK_NONE;
}
