/*
 * national.c
 *	  National identification numbers: their form and their check digits.
 *
 * A number is looked at without what separates its digits.  Its check
 * characters are made anew from the others: it is right if they are the same.
 *
 *	us_ssn	no check digit; area 000 and 666, group 00 and serial 0000 are
 *			never issued.  9xx are not either, so they are what is made here,
 *			and they pass
 *	uk_nino	no check digit; some prefixes are never used
 *	de		ISO 7064 MOD 11,10; of the first ten digits one comes two or three
 *			times, the others once at most
 *	fr		97 - n mod 97; 2A and 2B of Corsica count as 19 and 18
 *	es		letter of n mod 23; X, Y, Z of a NIE are 0, 1, 2
 *	it		letter of a sum of values by odd and even places
 *	nl		weights 9 to 2 and -1, modulo 11
 *	pl		weights 1, 3, 7, 9, modulo 10
 *	br		two digits modulo 11, by falling weights
 *	jp		one digit modulo 11
 *
 * Plain C: no postgres.h.
 */
#include <string.h>

#include "mask/national.h"

#define FIRST_KIND	GS_KIND_US_SSN
#define NKINDS		(GS_KIND_JP_MY_NUMBER - GS_KIND_US_SSN + 1)

/* 9: a digit; A: a letter; #: a letter or digit */
static const char *const forms[NKINDS] = {
	[GS_KIND_US_SSN - FIRST_KIND] = "999999999",
	[GS_KIND_UK_NINO - FIRST_KIND] = "AA999999A",
	[GS_KIND_DE_STEUER_ID - FIRST_KIND] = "99999999999",
	[GS_KIND_FR_NIR - FIRST_KIND] = "999999#99999999",
	[GS_KIND_ES_DNI - FIRST_KIND] = "#9999999A",
	[GS_KIND_IT_CODICE_FISCALE - FIRST_KIND] = "AAAAAA99A99A999A",
	[GS_KIND_NL_BSN - FIRST_KIND] = "999999999",
	[GS_KIND_PL_PESEL - FIRST_KIND] = "99999999999",
	[GS_KIND_BR_CPF - FIRST_KIND] = "99999999999",
	[GS_KIND_BR_CNPJ - FIRST_KIND] = "99999999999999",
	[GS_KIND_JP_MY_NUMBER - FIRST_KIND] = "999999999999",
};

static const GsKindId of_locale[GS_LOCALE_COUNT] = {
	[GS_LOCALE_EN_US] = GS_KIND_US_SSN,
	[GS_LOCALE_EN_GB] = GS_KIND_UK_NINO,
	[GS_LOCALE_DE_DE] = GS_KIND_DE_STEUER_ID,
	[GS_LOCALE_FR_FR] = GS_KIND_FR_NIR,
	[GS_LOCALE_ES_ES] = GS_KIND_ES_DNI,
	[GS_LOCALE_IT_IT] = GS_KIND_IT_CODICE_FISCALE,
	[GS_LOCALE_NL_NL] = GS_KIND_NL_BSN,
	[GS_LOCALE_PL_PL] = GS_KIND_PL_PESEL,
	[GS_LOCALE_PT_BR] = GS_KIND_BR_CPF,
	[GS_LOCALE_JA_JP] = GS_KIND_JP_MY_NUMBER,
};

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool
is_upper(char c)
{
	return c >= 'A' && c <= 'Z';
}

/*
 * gs_compact: a text without spaces, dots, dashes and slashes, in upper case.
 *
 * Returns its bytes, or -1 where there are others than letters and digits of
 * ASCII, or more than size - 1.
 */
int
gs_compact(const char *text, int len, char *out, int size)
{
	int			n = 0;

	for (int i = 0; i < len; i++)
	{
		char		c = text[i];

		if (c == ' ' || c == '.' || c == '-' || c == '/')
			continue;
		if (c >= 'a' && c <= 'z')
			c -= 32;
		if ((!is_digit(c) && !is_upper(c)) || n + 1 >= size)
			return -1;
		out[n++] = c;
	}
	out[n] = '\0';
	return n;
}

/* Sum of digits times weights, which change by step. */
static int
weighted_sum(const char *text, int n, int weight, int step)
{
	int			sum = 0;

	for (int i = 0; i < n; i++, weight += step)
		sum += (text[i] - '0') * weight;
	return sum;
}

static bool
check_de(char *text)
{
	int			product = 10;

	for (int i = 0; i < 10; i++)
	{
		int			sum = (text[i] - '0' + product) % 10;

		product = (sum == 0 ? 10 : sum) * 2 % 11;
	}
	text[10] = '0' + (11 - product) % 10;
	return true;
}

static bool
check_fr(char *text)
{
	int			rest = 0;
	int			corsica = 0;

	for (int i = 0; i < 13; i++)
	{
		int			digit = text[i] - '0';

		if (i == 6 && is_upper(text[i]))
		{
			if (text[5] != '2' || (text[i] != 'A' && text[i] != 'B'))
				return false;
			/* 2A is 19, 2B is 18, at the place of 10^6 */
			digit = text[i] == 'A' ? 9 : 8;
			corsica = 10;
		}
		rest = (rest * 10 + digit) % 97;
	}
	if (corsica)
		/* read as 29 or 28: ten too many */
		rest = (rest + 97 - 10 * 1000000 % 97) % 97;
	rest = 97 - rest;
	text[13] = '0' + rest / 10;
	text[14] = '0' + rest % 10;
	return true;
}

static bool
check_es(char *text)
{
	int			number = 0;

	for (int i = 0; i < 8; i++)
	{
		int			digit = text[i] - '0';

		if (is_upper(text[i]))
		{
			if (text[i] < 'X')
				return false;
			digit = text[i] - 'X';
		}
		number = number * 10 + digit;
	}
	text[8] = "TRWAGMYFPDXBNJZSQVHLCKE"[number % 23];
	return true;
}

static bool
check_it(char *text)
{
	static const char odd[] = {
		1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12,
		14, 16, 10, 22, 25, 24, 23
	};
	int			sum = 0;

	for (int i = 0; i < 15; i++)
	{
		int			value = is_digit(text[i]) ? text[i] - '0' : text[i] - 'A';

		sum += i % 2 == 0 ? odd[value] : value;
	}
	text[15] = 'A' + sum % 26;
	return true;
}

/* False: no digit completes the number. */
static bool
check_nl(char *text)
{
	int			rest = weighted_sum(text, 8, 9, -1) % 11;

	text[8] = '0' + rest % 10;
	return rest < 10;
}

static bool
check_pl(char *text)
{
	static const int weights[] = {1, 3, 7, 9};
	int			sum = 0;

	for (int i = 0; i < 10; i++)
		sum += (text[i] - '0') * weights[i % 4];
	text[10] = '0' + (10 - sum % 10) % 10;
	return true;
}

static bool
check_cpf(char *text)
{
	int			rest = weighted_sum(text, 9, 10, -1) % 11;

	text[9] = '0' + (rest < 2 ? 0 : 11 - rest);
	rest = weighted_sum(text, 10, 11, -1) % 11;
	text[10] = '0' + (rest < 2 ? 0 : 11 - rest);
	return true;
}

static bool
check_cnpj(char *text)
{
	for (int n = 12; n < 14; n++)
	{
		/* weights fall to 2, then begin at 9 again */
		int			rest = (weighted_sum(text, n - 8, n - 7, -1) +
							weighted_sum(text + n - 8, 8, 9, -1)) % 11;

		text[n] = '0' + (rest < 2 ? 0 : 11 - rest);
	}
	return true;
}

static bool
check_jp(char *text)
{
	/* weights from the left: 6 5 4 3 2, then 7 6 5 4 3 2 */
	int			rest = (weighted_sum(text, 5, 6, -1) +
						weighted_sum(text + 5, 6, 7, -1)) % 11;

	text[11] = '0' + (rest < 2 ? 0 : 11 - rest);
	return true;
}

/*
 * gs_national_check: sets the check characters of a number without separators.
 *
 * Returns false if no check character makes it right.
 */
bool
gs_national_check(GsKindId kind, char *text)
{
	switch (kind)
	{
		case GS_KIND_DE_STEUER_ID:
			return check_de(text);
		case GS_KIND_FR_NIR:
			return check_fr(text);
		case GS_KIND_ES_DNI:
			return check_es(text);
		case GS_KIND_IT_CODICE_FISCALE:
			return check_it(text);
		case GS_KIND_NL_BSN:
			return check_nl(text);
		case GS_KIND_PL_PESEL:
			return check_pl(text);
		case GS_KIND_BR_CPF:
			return check_cpf(text);
		case GS_KIND_BR_CNPJ:
			return check_cnpj(text);
		case GS_KIND_JP_MY_NUMBER:
			return check_jp(text);
		default:
			return true;
	}
}

static bool
has_form(const char *text, int len, const char *form)
{
	if (len != strlen(form))
		return false;
	for (int i = 0; i < len; i++)
		if (!(form[i] != 'A' && is_digit(text[i])) &&
			!(form[i] != '9' && is_upper(text[i])))
			return false;
	return true;
}

static int
two_digits(const char *text)
{
	return (text[0] - '0') * 10 + text[1] - '0';
}

static bool
ssn_plausible(const char *text)
{
	return memcmp(text, "000", 3) != 0 && memcmp(text, "666", 3) != 0 &&
		memcmp(text + 3, "00", 2) != 0 && memcmp(text + 5, "0000", 4) != 0;
}

static bool
nino_plausible(const char *text)
{
	static const char *const never[] = {
		"BG", "GB", "KN", "NK", "NT", "TN", "ZZ"
	};

	if (strchr("DFIQUV", text[0]) || strchr("DFIQUVO", text[1]) ||
		text[8] > 'D')
		return false;
	for (int i = 0; i < 7; i++)
		if (memcmp(text, never[i], 2) == 0)
			return false;
	return true;
}

/* Of ten digits one comes two or three times, the others once at most. */
static bool
steuer_id_plausible(const char *text)
{
	int			count[10] = {0};
	int			repeated = 0;

	for (int i = 0; i < 10; i++)
		count[text[i] - '0']++;
	for (int i = 0; i < 10; i++)
	{
		if (count[i] > 3)
			return false;
		repeated += count[i] > 1;
	}
	return text[0] != '0' && repeated == 1;
}

static bool
pesel_plausible(const char *text)
{
	int			month = two_digits(text + 2) % 20;
	int			day = two_digits(text + 4);

	return month >= 1 && month <= 12 && day >= 1 && day <= 31;
}

/* Digits that are all the same are no number that anybody has. */
static bool
varied(const char *text)
{
	return strspn(text, (char[]) {text[0], '\0'}) < strlen(text);
}

static bool
plausible(GsKindId kind, const char *text)
{
	switch (kind)
	{
		case GS_KIND_US_SSN:
			return ssn_plausible(text);
		case GS_KIND_UK_NINO:
			return nino_plausible(text);
		case GS_KIND_DE_STEUER_ID:
			return steuer_id_plausible(text);
		case GS_KIND_FR_NIR:
			return text[0] == '1' || text[0] == '2';
		case GS_KIND_IT_CODICE_FISCALE:
			return strchr("ABCDEHLMPRST", text[8]) != NULL &&
				two_digits(text + 9) % 40 >= 1 &&
				two_digits(text + 9) % 40 <= 31;
		case GS_KIND_PL_PESEL:
			return pesel_plausible(text);
		default:
			return varied(text);
	}
}

/*
 * gs_national_matches: whether a text is a number of a kind, with the right
 * check digits and with or without separators.
 */
bool
gs_national_matches(GsKindId kind, const char *text, int len)
{
	char		number[GS_NATIONAL_BYTES];
	char		again[GS_NATIONAL_BYTES];
	int			n = gs_compact(text, len, number, sizeof(number));

	if (n < 0 || !has_form(number, n, forms[kind - FIRST_KIND]) ||
		!plausible(kind, number))
		return false;
	memcpy(again, number, n + 1);
	return gs_national_check(kind, again) && memcmp(again, number, n) == 0;
}

/*
 * gs_national_fits: whether a number of a kind has so many characters, without
 * separators.
 */
bool
gs_national_fits(GsKindId kind, int len)
{
	return strlen(forms[kind - FIRST_KIND]) == len;
}

/*
 * gs_national_form: 9 for a digit, A for a letter, # for either, without
 * separators.
 */
const char *
gs_national_form(GsKindId kind)
{
	return forms[kind - FIRST_KIND];
}

/*
 * gs_national_kind: the number that people of a locale's country have.
 */
GsKindId
gs_national_kind(int locale)
{
	return of_locale[locale];
}
