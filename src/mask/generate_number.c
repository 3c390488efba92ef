/*
 * generate_number.c
 *	  Numbers of persons, phones, cards, accounts and cars, and addresses of
 *	  machines.
 *
 * Nothing that is issued is made where a range is kept free for it: phone
 * numbers of fiction (555-01xx of the North American plan; Ofcom's and the
 * Bundesnetzagentur's for drama, ARCEP's for audiovisual works), Social
 * Security numbers from 900 on, National Insurance numbers of administrative
 * prefixes, prefixes of test cards, addresses of RFC 5737 and 3849, hardware
 * addresses of local administration.  Spain, Italy, the Netherlands, Poland, Brazil and
 * Japan have no such phone numbers: those made here are of ordinary ranges.
 *
 * Plain C: no postgres.h.
 */
#include <stdio.h>
#include <string.h>

#include "mask/generate_internal.h"
#include "mask/national.h"
#include "text/check_digit.h"

#define MOST_FORMS		11

/* Phone numbers as they are written in their country. */
static const struct
{
	const char *country;		/* its code */
	bool		trunk;			/* a first 0 is left out from abroad */
	const char *forms[MOST_FORMS + 1];
}			phones[GS_LOCALE_COUNT] = {
	[GS_LOCALE_EN_US] = {"1", false, {
			"(202) 555-01##", "(212) 555-01##", "(213) 555-01##",
			"(305) 555-01##", "(312) 555-01##", "(415) 555-01##",
			"(503) 555-01##", "(602) 555-01##", "(617) 555-01##",
			"(713) 555-01##", "(904) 555-01##"}},
	[GS_LOCALE_EN_GB] = {"44", true, {
			"07700 900###", "020 7946 0###", "0113 496 0###", "0114 496 0###",
			"0121 496 0###", "0131 496 0###", "0141 496 0###", "0151 496 0###",
			"0161 496 0###", "0191 498 0###", "01632 960###"}},
	[GS_LOCALE_DE_DE] = {"49", true, {
			"030 23125###", "040 66969###", "069 90009###", "089 99998###",
			"0221 4710###", "0171 39200##"}},
	[GS_LOCALE_FR_FR] = {"33", true, {
			"01 99 00 ## ##", "02 61 91 ## ##", "03 53 01 ## ##",
			"04 65 71 ## ##", "05 36 49 ## ##", "06 39 98 ## ##"}},
	[GS_LOCALE_ES_ES] = {"34", false, {
			"91# ## ## ##", "93# ## ## ##", "60# ## ## ##", "65# ## ## ##"}},
	[GS_LOCALE_IT_IT] = {"39", false, {
			"347 ### ####", "338 ### ####", "328 ### ####", "06 3### ####"}},
	[GS_LOCALE_NL_NL] = {"31", true, {
			"06 2# ## ## ##", "06 4# ## ## ##", "020 62# ## ##"}},
	[GS_LOCALE_PL_PL] = {"48", false, {
			"50# ### ###", "60# ### ###", "66# ### ###", "22 62# ## ##"}},
	[GS_LOCALE_PT_BR] = {"55", false, {
			"(11) 99###-####", "(21) 98###-####", "(31) 97###-####",
			"(11) 32##-####"}},
	[GS_LOCALE_JA_JP] = {"81", true, {
			"090-2###-####", "080-3###-####", "03-35##-####", "06-62##-####"}}
};

static const char *const passports[GS_LOCALE_COUNT] = {
	"@########", "#########", "C0#X#@T#7", "##@@#####", "@@@######",
	"@@#######", "@@@#####1", "@@#######", "@@######0", "@@#######"
};

static const char *const licences[GS_LOCALE_COUNT] = {
	"@########", "@@@@9######@@9@@", "@0##@@####1", "############",
	"########@", "@@#######@", "##########", "#####/##/####", "###########",
	"############"
};

static const char *const plates[GS_LOCALE_COUNT] = {
	"@@@-####", "@@## @@@", "@-@@ ####", "@@-###-@@", "#### @@@",
	"@@ ###@@", "@@-##-##", "@@ #####", "@@@#@##", "品川 3## さ ##-##"
};

/* IBANs: the country, and its bank, branch and account; no bank begins so */
static const char *const ibans[GS_LOCALE_COUNT] = {
	[GS_LOCALE_EN_US] = "GB00TEST##############",
	[GS_LOCALE_EN_GB] = "GB00TEST##############",
	[GS_LOCALE_DE_DE] = "DE0099999###0#########",
	[GS_LOCALE_FR_FR] = "FR0099999##################",
	[GS_LOCALE_ES_ES] = "ES009999################",
	[GS_LOCALE_IT_IT] = "IT00@99999#################",
	[GS_LOCALE_NL_NL] = "NL00TEST0#########",
	[GS_LOCALE_PL_PL] = "PL00999#####################",
	[GS_LOCALE_PT_BR] = "BR0099999999###############P1",
	[GS_LOCALE_JA_JP] = "GB00TEST##############"
};

static const char *const cards[] = {
	"424242##########", "411111##########", "400005##########",
	"555555##########", "510510##########"
};

/* Words that mean nothing, as printers use them. */
static const char *const words[] = {
	"lorem", "ipsum", "dolor", "sit", "amet", "consectetur", "adipiscing",
	"elit", "sed", "do", "eiusmod", "tempor", "incididunt", "ut", "labore",
	"et", "dolore", "magna", "aliqua", "enim", "ad", "minim", "veniam",
	"quis", "nostrud", "exercitation", "ullamco", "laboris", "nisi",
	"aliquip", "ex", "ea", "commodo", "consequat"
};

static int
count(const char *const *forms)
{
	int			n = 0;

	while (forms[n])
		n++;
	return n;
}

/* Without what is neither letter nor digit. */
static int
squeeze(char *text)
{
	int			n = 0;

	for (const char *at = text; *at; at++)
		if (!strchr(" -./()", *at))
			text[n++] = *at;
	text[n] = '\0';
	return n;
}

/*
 * A phone number.  Forms: with the country's code, its digits alone, and those
 * of the country; or as in the country, and without separators.
 */
static int
phone(GsFake *fake, bool national, int form, char *out)
{
	int			locale = gs_fake_locale(fake);
	char		digits[24];
	GsFakeBits	bits;
	int			n;

	if (form > (national ? 1 : 2))
		return -1;
	gs_fake_stream(fake, GS_TRAIT_PHONE, &bits);
	n = gs_fake_fill(&bits, phones[locale].forms
					 [gs_fake_next(&bits, count(phones[locale].forms))], out);
	if (national)
		return form == 0 ? n : squeeze(out);
	squeeze(out);
	strcpy(digits, out + (phones[locale].trunk && form < 2));
	return gs_put(gs_put(gs_put(out, form == 0 ? "+" : ""),
						 form < 2 ? phones[locale].country : ""), digits) - out;
}

/* Three letters of a name: consonants, then vowels, then X. */
static void
three_letters(const char *name, bool skip, char *out)
{
	int			consonants = 0;
	int			n = 0;

	for (const char *at = name; *at; at++)
		consonants += strchr("aeiou", *at) == NULL;
	for (int pass = 0; pass < 2; pass++)
	{
		int			seen = 0;

		for (const char *at = name; *at && n < 3; at++)
		{
			bool		vowel = strchr("aeiou", *at) != NULL;

			/* of four consonants or more a first name leaves out the second */
			if (*at < 'a' || vowel != (pass == 1) ||
				(!vowel && ++seen == 2 && skip && consonants >= 4))
				continue;
			out[n++] = *at - 32;
		}
	}
	while (n < 3)
		out[n++] = 'X';
}

/* The tax code of Italy: names, birth date, sex and a city of many people. */
static void
codice_fiscale(GsFake *fake, GsFakeBits *bits, char *out)
{
	static const char *const towns[] = {
		"H501", "F205", "F839", "L219", "G273", "D969", "A944", "D612"
	};
	GsFakeName	first;
	GsFakeName	last;
	int			year;
	int			month;
	int			day;

	gs_fake_first(fake, 0, &first);
	gs_fake_last(fake, 0, &last);
	gs_fake_civil(gs_fake_birth(fake), &year, &month, &day);
	three_letters(last.latin, false, out);
	three_letters(first.latin, true, out + 3);
	sprintf(out + 6, "%02d%c%02d%s0", year % 100,
			"ABCDEHLMPRST"[month - 1],
			gs_fake_sex(fake) == GS_SEX_FEMALE ? day + 40 : day,
			towns[gs_fake_next(bits, 8)]);
}

/* Ten digits of which exactly one comes twice; the first is not 0. */
static void
steuer_id(GsFakeBits *bits, char *out)
{
	char		order[] = "0123456789";

	for (int i = 9; i > 0; i--)
	{
		int			j = gs_fake_next(bits, i + 1);
		char		swap = order[i];

		order[i] = order[j];
		order[j] = swap;
	}
	order[9] = order[gs_fake_next(bits, 9)];
	if (order[0] == '0')
	{
		order[0] = order[5];
		order[5] = '0';
	}
	sprintf(out, "%s0", order);
}

/* A national number without separators and with any check characters. */
static void
national_body(GsFake *fake, GsKindId kind, GsFakeBits *bits, char *out)
{
	static const char *const prefixes[] = {
		"CR", "FY", "MW", "NC", "PP", "PY", "PZ"
	};
	bool		male = gs_fake_sex(fake) == GS_SEX_MALE;
	char		form[GS_NATIONAL_BYTES];
	int			year;
	int			month;
	int			day;

	gs_fake_civil(gs_fake_birth(fake), &year, &month, &day);
	switch (kind)
	{
		case GS_KIND_US_SSN:
			/* groups from 50 on are taxpayer numbers, which are issued */
			sprintf(out, "9%02d%02d%04d", gs_fake_next(bits, 100),
					1 + gs_fake_next(bits, 49), 1 + gs_fake_next(bits, 9999));
			break;
		case GS_KIND_UK_NINO:
			sprintf(form, "%s######%c", prefixes[gs_fake_next(bits, 7)],
					'A' + gs_fake_next(bits, 4));
			gs_fake_fill(bits, form, out);
			break;
		case GS_KIND_DE_STEUER_ID:
			steuer_id(bits, out);
			break;
		case GS_KIND_FR_NIR:
			sprintf(out, "%d%02d%02d%02d%03d%03d00", male ? 1 : 2,
					year % 100, month, 21 + gs_fake_next(bits, 75),
					1 + gs_fake_next(bits, 900), 1 + gs_fake_next(bits, 999));
			break;
		case GS_KIND_IT_CODICE_FISCALE:
			codice_fiscale(fake, bits, out);
			break;
		case GS_KIND_PL_PESEL:
			sprintf(out, "%02d%02d%02d%03d%d0", year % 100,
					month + (year >= 2000 ? 20 : year < 1900 ? 80 : 0), day,
					gs_fake_next(bits, 1000),
					gs_fake_next(bits, 5) * 2 + male);
			break;
		case GS_KIND_BR_CNPJ:
			gs_fake_fill(bits, "########000100", out);
			break;
		default:
			/* no number is of one digit */
			strcpy(form, gs_national_form(kind));
			for (char *at = form; *at; at++)
				*at = *at == '9' || (*at == '#' && at == form) ? '#' : *at;
			gs_fake_fill(bits, form, out);
			break;
	}
}

/* How a number is written: 9 the next character, others as they are. */
static const char *
national_style(GsKindId kind)
{
	switch (kind)
	{
		case GS_KIND_US_SSN:
			return "999-99-9999";
		case GS_KIND_BR_CPF:
			return "999.999.999-99";
		case GS_KIND_BR_CNPJ:
			return "99.999.999/9999-99";
		default:
			return NULL;
	}
}

static int
national(GsFake *fake, GsKindId kind, int form, char *out)
{
	char		number[GS_NATIONAL_BYTES];
	const char *style = national_style(kind);
	GsFakeBits	bits;
	int			n = 0;

	if (form > (style != NULL))
		return -1;
	gs_fake_stream(fake, GS_TRAIT_KIND + kind, &bits);
	do
		national_body(fake, kind, &bits, number);
	while (!gs_national_check(kind, number) ||
		   !gs_national_matches(kind, number, strlen(number)));
	if (!style || form == 1)
		style = NULL;
	for (const char *from = number; *from;)
		out[n++] = style && *style && *style++ != '9' ? style[-1] : *from++;
	out[n] = '\0';
	return n;
}

static int
iban(GsFake *fake, GsFakeBits *bits, char *out)
{
	int			n = gs_fake_fill(bits, ibans[gs_fake_locale(fake)], out);
	int			rest = 0;

	if (gs_fake_locale(fake) == GS_LOCALE_ES_ES)
	{
		/* the country's own check digits, of bank and account */
		static const int weights[] = {1, 2, 4, 8, 5, 10, 9, 7, 3, 6};

		for (int part = 0; part < 2; part++)
		{
			int			sum = 0;

			for (int i = part == 0 ? 2 : 0; i < 10; i++)
				sum += weights[i] * (out[part == 0 ? i + 2 : i + 14] - '0');
			sum = 11 - sum % 11;
			out[12 + part] = '0' + (sum == 11 ? 0 : sum == 10 ? 1 : sum);
		}
	}
	/* what follows the check digits, then the country, then 00 (ISO 7064) */
	for (int i = 0; i < n; i++)
	{
		char		c = out[(i + 4) % n];

		rest = c >= 'A' ? (rest * 100 + c - 'A' + 10) % 97 :
			(rest * 10 + c - '0') % 97;
	}
	rest = 98 - rest;
	out[2] = '0' + rest / 10;
	out[3] = '0' + rest % 10;
	return n;
}

static int
uuid(GsFakeBits *bits, char *out)
{
	static const char *const form = "xxxxxxxx-xxxx-4xxx-yxxx-xxxxxxxxxxxx";
	int			n;

	for (n = 0; form[n]; n++)
		out[n] = form[n] == 'x' ? "0123456789abcdef"[gs_fake_next(bits, 16)] :
			form[n] == 'y' ? "89ab"[gs_fake_next(bits, 4)] : form[n];
	out[n] = '\0';
	return n;
}

static int
url(GsFake *fake, GsFakeBits *bits, int form, char *out)
{
	static const char *const site = "https://www.example.com/";
	GsFakeName	last;

	if (form > 1)
		return -1;
	gs_fake_last(fake, 0, &last);
	if (form == 1)
		return gs_put_char(gs_put(out, site), last.latin[0]) - out;
	return gs_put_number(gs_put_char(gs_put(gs_put(out, site), last.latin),
									 '/'), gs_fake_next(bits, 100000), 1) - out;
}

/* One to four sentences; shorter forms are single words, and then letters. */
static int
free_text(GsFakeBits *bits, int form, char *out)
{
	int			nwords = form == 0 ? 6 + gs_fake_next(bits, 16) :
		form < 6 ? 6 - form : 1;
	char	   *end = out;
	bool		start = true;

	for (int i = 0; i < nwords; i++)
	{
		char	   *word = i > 0 ? gs_put_char(end, ' ') : end;

		end = gs_put(word, words[gs_fake_next(bits, 34)]);
		if (start)
			*word -= 32;
		start = i == nwords - 1 || (form == 0 && gs_fake_next(bits, 8) == 0);
		if (start && form < 6)
			end = gs_put_char(end, '.');
	}
	if (form == 15)
		end = gs_put(out + 1, "");
	return end - out;
}

static int
payment_card(GsFakeBits *bits, int form, char *out)
{
	int			n = gs_fake_fill(bits, cards[gs_fake_next(bits, 5)], out);

	gs_check_set(GS_CHECK_LUHN, out, n);
	return form > 0 ? -1 : n;
}

static int
ip(GsFakeBits *bits, char *out)
{
	static const char *const nets[] = {"192.0.2.", "198.51.100.", "203.0.113."};
	char	   *end = gs_put(out, nets[gs_fake_next(bits, 3)]);

	return gs_put_number(end, 1 + gs_fake_next(bits, 254), 1) - out;
}

/*
 * gs_fake_number: see generate_internal.h.
 */
int
gs_fake_number(GsFake *fake, GsKindId kind, const GsFakeWant *want, int form,
			   char *out)
{
	int			locale = gs_fake_locale(fake);
	GsFakeBits	bits;

	gs_fake_stream(fake, GS_TRAIT_KIND + kind, &bits);
	switch (kind)
	{
		case GS_KIND_PHONE:
		case GS_KIND_PHONE_NATIONAL:
			return phone(fake, kind == GS_KIND_PHONE_NATIONAL, form, out);
		case GS_KIND_PASSPORT:
			return form > 0 ? -1 : gs_fake_fill(&bits, passports[locale], out);
		case GS_KIND_DRIVER_LICENCE:
			gs_fake_fill(&bits, form > 0 ? "########" : licences[locale], out);
			return form > 1 ? -1 : strlen(out);
		case GS_KIND_PAYMENT_CARD:
			return payment_card(&bits, form, out);
		case GS_KIND_IBAN:
			return form > 0 ? -1 : iban(fake, &bits, out);
		case GS_KIND_IP:
			return form > 0 ? -1 : ip(&bits, out);
		case GS_KIND_IPV6:
			if (form > 0)
				return -1;
			return sprintf(out, "2001:db8:%x:%x::%x:%x",
						   1 + gs_fake_next(&bits, 65535),
						   1 + gs_fake_next(&bits, 65535),
						   1 + gs_fake_next(&bits, 65535),
						   1 + gs_fake_next(&bits, 65535));
		case GS_KIND_MAC:
			if (form > 0)
				return -1;
			return sprintf(out, "02:%02x:%02x:%02x:%02x:%02x",
						   gs_fake_next(&bits, 256), gs_fake_next(&bits, 256),
						   gs_fake_next(&bits, 256), gs_fake_next(&bits, 256),
						   gs_fake_next(&bits, 256));
		case GS_KIND_URL:
			return url(fake, &bits, form, out);
		case GS_KIND_UUID:
			return form > 0 ? -1 : uuid(&bits, out);
		case GS_KIND_LICENCE_PLATE:
			gs_fake_fill(&bits, plates[locale], out);
			return form > 1 ? -1 : form == 0 ? strlen(out) : squeeze(out);
		case GS_KIND_ACCOUNT_NUMBER:
			gs_fake_fill(&bits, form > 0 ? "######" : "##########", out);
			if (out[0] == '0')
				out[0] = '1';
			return form > 1 ? -1 : strlen(out);
		case GS_KIND_FREE_TEXT:
			return free_text(&bits, form, out);
		default:
			if (kind == GS_KIND_NATIONAL_ID)
				kind = gs_national_kind(locale);
			return national(fake, kind, form, out);
	}
}
