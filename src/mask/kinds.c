/*
 * kinds.c
 *	  The table of kinds, and what their values look like.
 *
 * Tests of what is no number with check digits are of the form alone: "Paris"
 * could be a first name, a last name or a city.  Whether it is known to be one
 * is asked of the lists (find_pii.c).
 *
 * Plain C: no postgres.h.
 */
#include <string.h>

#include "mask/dictionary.h"
#include "mask/national.h"
#include "text/check_digit.h"

const char *const gs_locale_names[GS_LOCALE_COUNT] = {
	"en_US", "en_GB", "de_DE", "fr_FR", "es_ES", "it_IT", "nl_NL", "pl_PL",
	"pt_BR", "ja_JP"
};

/* ISO 3166 of two and three letters, and names, of the locales' countries. */
static const char *const countries[GS_LOCALE_COUNT][12] = {
	{"US", "USA", "United States", "United States of America", "U.S.",
	"U.S.A.", "America", "Vereinigte Staaten", "États-Unis", "Estados Unidos",
	"Stati Uniti"},
	{"GB", "GBR", "United Kingdom", "UK", "Great Britain", "England",
	"Scotland", "Wales", "Northern Ireland", "Royaume-Uni", "Reino Unido",
	"Regno Unito"},
	{"DE", "DEU", "Germany", "Deutschland", "Allemagne", "Alemania",
	"Germania", "Duitsland", "Niemcy", "Alemanha", "ドイツ"},
	{"FR", "FRA", "France", "Frankreich", "Francia", "Frankrijk", "Francja",
	"França", "フランス"},
	{"ES", "ESP", "Spain", "España", "Spanien", "Espagne", "Spagna", "Spanje",
	"Hiszpania", "Espanha", "スペイン"},
	{"IT", "ITA", "Italy", "Italia", "Italien", "Italie", "Italië", "Włochy",
	"Itália", "イタリア"},
	{"NL", "NLD", "Netherlands", "Nederland", "The Netherlands", "Holland",
	"Niederlande", "Pays-Bas", "Países Bajos", "Paesi Bassi", "Holandia",
	"オランダ"},
	{"PL", "POL", "Poland", "Polska", "Polen", "Pologne", "Polonia",
	"Polônia", "ポーランド"},
	{"BR", "BRA", "Brazil", "Brasil", "Brasilien", "Brésil", "Brasile",
	"Brazilië", "Brazylia", "ブラジル"},
	{"JP", "JPN", "Japan", "日本", "日本国", "Japon", "Japón", "Giappone",
	"Japonia", "Japão"}
};

/* Words for the sexes; the digits are those of ISO 5218. */
static const char *const females[] = {
	"f", "female", "woman", "w", "weiblich", "frau", "femme", "féminin",
	"mujer", "femenino", "femmina", "femminile", "v", "vrouw", "vrouwelijk",
	"k", "kobieta", "żeński", "mulher", "feminino", "女", "女性", "2"
};
static const char *const males[] = {
	"m", "male", "man", "männlich", "mann", "h", "homme", "masculin",
	"hombre", "varón", "masculino", "maschio", "maschile", "mannelijk",
	"mężczyzna", "męski", "homem", "男", "男性", "1"
};

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool
is_letter(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c & 0x80);
}

static bool
is_hex(char c)
{
	return is_digit(c) || (c >= 'A' && c <= 'F') || (c >= 'a' && c <= 'f');
}

static int
count_digits(const char *text, int len)
{
	int			n = 0;

	for (int i = 0; i < len; i++)
		n += is_digit(text[i]);
	return n;
}

/* A name of the domain name system, of two labels or more. */
static bool
is_domain(const char *text, int len)
{
	int			labels = 1;
	int			start = 0;

	for (int i = 0; i <= len; i++)
	{
		if (i < len && text[i] != '.')
		{
			if (!is_letter(text[i]) && !is_digit(text[i]) && text[i] != '-')
				return false;
			continue;
		}
		if (i == start || text[start] == '-' || text[i - 1] == '-')
			return false;
		if (i < len)
		{
			labels++;
			start = i + 1;
		}
	}
	for (int i = start; i < len; i++)
		if (!is_letter(text[i]))
			return false;
	return labels >= 2 && len - start >= 2;
}

static bool
email_matches(const char *text, int len)
{
	const char *at = memchr(text, '@', len);
	int			local = at ? at - text : 0;

	if (local < 1 || local > 64)
		return false;
	for (int i = 0; i < local; i++)
		if (!is_letter(text[i]) && !is_digit(text[i]) &&
			!strchr("._%+-'~&=#!*/?^{|}$", text[i]))
			return false;
	return text[0] != '.' && at[-1] != '.' &&
		is_domain(at + 1, len - local - 1);
}

/* Digits with what stands between them in phone numbers. */
static bool
phone_digits(const char *text, int len, int least, int most)
{
	int			digits = 0;
	int			depth = 0;

	for (int i = 0; i < len; i++)
	{
		if (is_digit(text[i]))
			digits++;
		else if (text[i] == '(')
			depth++;
		else if (text[i] == ')')
			depth--;
		else if (text[i] == 'x' && digits >= least)
			break;				/* an extension */
		else if (!strchr(" -./", text[i]) && !(text[i] == '+' && i == 0))
			return false;
	}
	return depth == 0 && digits >= least && digits <= most;
}

static bool
phone_matches(const char *text, int len)
{
	return len > 0 && text[0] == '+' && phone_digits(text, len, 8, 15);
}

static bool
phone_national_matches(const char *text, int len)
{
	return len > 0 && text[0] != '+' && phone_digits(text, len, 7, 13);
}

/* Letters, with what stands between them in names. */
static bool
words_match(const char *text, int len, int most_words)
{
	int			words = 1;

	if (len < 1 || len > 100 || (!is_letter(text[0]) && text[0] != '\''))
		return false;
	for (int i = 0; i < len; i++)
	{
		if (text[i] == ' ')
			words++;
		else if (!is_letter(text[i]) && text[i] != '-' && text[i] != '.' &&
				 text[i] != ',' && text[i] != '\'')
			return false;
	}
	return words <= most_words;
}

static bool
name_matches(const char *text, int len)
{
	return words_match(text, len, 4);
}

static bool
full_name_matches(const char *text, int len)
{
	return words_match(text, len, 6) &&
		(memchr(text, ' ', len) != NULL || (text[0] & 0x80) != 0);
}

static bool
user_name_matches(const char *text, int len)
{
	if (len < 1 || len > 64)
		return false;
	for (int i = 0; i < len; i++)
		if (!is_letter(text[i]) && !is_digit(text[i]) &&
			text[i] != '.' && text[i] != '_' && text[i] != '-' &&
			text[i] != '@')
			return false;
	return true;
}

static bool
street_address_matches(const char *text, int len)
{
	int			letters = 0;

	for (int i = 0; i < len; i++)
		letters += is_letter(text[i]);
	return len <= 200 && letters >= 2 && count_digits(text, len) >= 1 &&
		(memchr(text, ' ', len) != NULL || (text[0] & 0x80) != 0);
}

static bool
place_matches(const char *text, int len)
{
	return words_match(text, len, 8);
}

static bool
code_matches(const char *text, int len)
{
	if (len < 1 || len > 3)
		return false;
	for (int i = 0; i < len; i++)
		if (!is_letter(text[i]) && !is_digit(text[i]))
			return false;
	return true;
}

static bool
country_code_matches(const char *text, int len)
{
	return (len == 2 || len == 3) && code_matches(text, len) &&
		count_digits(text, len) == 0;
}

static bool
postcode_matches(const char *text, int len)
{
	char		code[12];
	int			n = gs_compact(text, len, code, sizeof(code));

	return n >= 4 && n <= 9 && count_digits(code, n) >= 2;
}

/* A decimal number within both limits. */
static bool
number_within(const char *text, int len, double limit)
{
	double		value = 0;
	double		scale = 0;
	int			i = len > 0 && (text[0] == '-' || text[0] == '+');

	if (i == len || len > 24)
		return false;
	for (; i < len; i++)
	{
		if (text[i] == '.' && scale == 0)
			scale = 1;
		else if (!is_digit(text[i]))
			return false;
		else
		{
			value = value * 10 + text[i] - '0';
			scale *= 10;
		}
	}
	return value / (scale > 0 ? scale : 1) <= limit;
}

static bool
latitude_matches(const char *text, int len)
{
	return number_within(text, len, 90);
}

static bool
longitude_matches(const char *text, int len)
{
	return number_within(text, len, 180);
}

static bool
coordinates_match(const char *text, int len)
{
	const char *comma = memchr(text, ',', len);
	int			at;

	if (!comma)
		return false;
	if (text[0] == '(' && text[len - 1] == ')')
	{
		text++;
		len -= 2;
	}
	at = comma - text;
	return at > 0 && longitude_matches(text, at) &&
		longitude_matches(comma + 1, len - at - 1);
}

/* YYYY-MM-DD, and what a time stamp has behind it. */
static bool
birth_date_matches(const char *text, int len)
{
	return len >= 10 && count_digits(text, 4) == 4 && text[4] == '-' &&
		count_digits(text + 5, 2) == 2 && text[7] == '-' &&
		count_digits(text + 8, 2) == 2 &&
		(text[0] == '1' || text[0] == '2');
}

static bool
sex_matches(const char *text, int len)
{
	return gs_sex_of(text, len) != 0;
}

#define NATIONAL(name, kind) \
	static bool \
	name(const char *text, int len) \
	{ \
		return gs_national_matches(kind, text, len); \
	}

NATIONAL(us_ssn_matches, GS_KIND_US_SSN)
NATIONAL(uk_nino_matches, GS_KIND_UK_NINO)
NATIONAL(de_steuer_id_matches, GS_KIND_DE_STEUER_ID)
NATIONAL(fr_nir_matches, GS_KIND_FR_NIR)
NATIONAL(es_dni_matches, GS_KIND_ES_DNI)
NATIONAL(it_codice_fiscale_matches, GS_KIND_IT_CODICE_FISCALE)
NATIONAL(nl_bsn_matches, GS_KIND_NL_BSN)
NATIONAL(pl_pesel_matches, GS_KIND_PL_PESEL)
NATIONAL(br_cpf_matches, GS_KIND_BR_CPF)
NATIONAL(br_cnpj_matches, GS_KIND_BR_CNPJ)
NATIONAL(jp_my_number_matches, GS_KIND_JP_MY_NUMBER)

static bool
national_id_matches(const char *text, int len)
{
	for (int kind = GS_KIND_US_SSN; kind <= GS_KIND_JP_MY_NUMBER; kind++)
		if (gs_national_matches(kind, text, len))
			return true;
	return false;
}

/* Letters and digits, at least as many digits as asked for. */
static bool
document_matches(const char *text, int len)
{
	char		code[24];
	int			n = gs_compact(text, len, code, sizeof(code));

	return n >= 6 && n <= 18 && count_digits(code, n) >= 2;
}

static bool
payment_card_matches(const char *text, int len)
{
	char		number[24];
	int			n = gs_compact(text, len, number, sizeof(number));

	return n >= 13 && n <= 19 && count_digits(number, n) == n &&
		number[0] >= '2' && number[0] <= '6' &&
		gs_check_holds(GS_CHECK_LUHN, number, n);
}

static bool
iban_matches(const char *text, int len)
{
	char		number[40];
	int			n = gs_compact(text, len, number, sizeof(number));

	return n >= 15 && n <= 34 && !is_digit(number[0]) &&
		!is_digit(number[1]) && is_digit(number[2]) && is_digit(number[3]) &&
		gs_check_holds(GS_CHECK_IBAN, number, n);
}

/*
 * The bytes of an address before the bits of its network, if there are any;
 * -1 where that is no number.
 */
static int
host_of(const char *text, int len)
{
	const char *slash = memchr(text, '/', len);
	int			host = slash ? slash - text : len;

	if (slash && (len - host < 2 || len - host > 4 ||
				  count_digits(slash + 1, len - host - 1) != len - host - 1))
		return -1;
	return host;
}

static bool
ip_matches(const char *text, int len)
{
	int			host = host_of(text, len);
	int			dots = 0;
	int			digits = 0;
	int			value = 0;

	for (int i = 0; i <= host; i++)
	{
		if (i == host || text[i] == '.')
		{
			if (digits < 1 || digits > 3 || value > 255)
				return false;
			dots += i < host;
			digits = value = 0;
			continue;
		}
		if (!is_digit(text[i]) || digits > 3)
			return false;
		value = value * 10 + text[i] - '0';
		digits++;
	}
	return dots == 3;
}

static bool
ipv6_matches(const char *text, int len)
{
	int			host = host_of(text, len);
	int			colons = 0;

	for (int i = 0; i < host; i++)
	{
		colons += text[i] == ':';
		if (!is_hex(text[i]) && text[i] != ':' && text[i] != '.')
			return false;
	}
	return colons >= 2 && colons <= 7 && host <= 45;
}

static bool
mac_matches(const char *text, int len)
{
	if (len != 17)
		return false;
	for (int i = 0; i < len; i++)
		if (i % 3 == 2 ? text[i] != text[2] || !strchr(":-", text[i]) :
			!is_hex(text[i]))
			return false;
	return true;
}

static bool
url_matches(const char *text, int len)
{
	static const char *const schemes[] = {
		"https://", "http://", "ftp://", "www."
	};

	for (int i = 0; i < 4; i++)
	{
		int			n = strlen(schemes[i]);

		if (len > n + 3 && memcmp(text, schemes[i], n) == 0 &&
			memchr(text, ' ', len) == NULL)
			return memchr(text + n, '.', len - n) != NULL;
	}
	return false;
}

static bool
uuid_matches(const char *text, int len)
{
	if (len != 36)
		return false;
	for (int i = 0; i < len; i++)
		if (i == 8 || i == 13 || i == 18 || i == 23 ? text[i] != '-' :
			!is_hex(text[i]))
			return false;
	return true;
}

static bool
licence_plate_matches(const char *text, int len)
{
	int			letters = 0;
	int			digits = count_digits(text, len);

	for (int i = 0; i < len; i++)
	{
		if (is_letter(text[i]))
			letters++;
		else if (!is_digit(text[i]) && text[i] != ' ' && text[i] != '-' &&
				 text[i] != '.')
			return false;
	}
	return digits >= 1 && letters >= 1 && digits + letters >= 4 && len <= 24;
}

static bool
account_number_matches(const char *text, int len)
{
	char		code[40];
	int			n = gs_compact(text, len, code, sizeof(code));

	return n >= 5 && n <= 34 && count_digits(code, n) * 2 >= n;
}

/*
 * A text of several words one of which is an e-mail address, an address of the
 * internet, or a number with check digits.
 */
static bool
free_text_matches(const char *text, int len)
{
	static const GsKindId held[] = {
		GS_KIND_EMAIL, GS_KIND_PHONE, GS_KIND_IBAN, GS_KIND_PAYMENT_CARD,
		GS_KIND_IT_CODICE_FISCALE, GS_KIND_UK_NINO, GS_KIND_IP, GS_KIND_IPV6,
		GS_KIND_MAC
	};
	int			words = 0;
	bool		holds = false;

	for (int i = 0, start = 0; i <= len; i++)
	{
		int			n = i - start;

		if (i < len && text[i] != ' ' && text[i] != '\n' && text[i] != '\t')
			continue;
		words += n > 0;
		while (n > 0 && strchr(".,;:!?)>\"'", text[start + n - 1]))
			n--;
		while (n > 0 && strchr("(<\"'", text[start]))
			start++, n--;
		for (int k = 0; k < 9 && n >= 7 && !holds; k++)
			holds = gs_kinds[held[k]].matches(text + start, n);
		/* 123-45-6789 */
		holds = holds || (n == 11 && text[start + 3] == '-' &&
						  text[start + 6] == '-' &&
						  us_ssn_matches(text + start, n));
		start = i + 1;
	}
	return words >= 3 && holds;
}

#define TEXT 0, 0

const GsKind gs_kinds[GS_KIND_COUNT] = {
	{GS_KIND_EMAIL, "email",
		"e-mail address at example.com or example.org",
		TEXT, 8, true, true, email_matches},
	{GS_KIND_PHONE, "phone",
		"phone number with its country's code, of a range reserved "
		"for fiction where there is one",
		GS_FITS_DIGITS, 13, 9, false, true, phone_matches},
	{GS_KIND_PHONE_NATIONAL, "phone_national",
		"phone number as it is written within its country",
		GS_FITS_DIGITS, 11, 9, false, false, phone_national_matches},
	{GS_KIND_FIRST_NAME, "first_name",
		"first name, by the row's sex",
		TEXT, 1, false, false, name_matches},
	{GS_KIND_LAST_NAME, "last_name",
		"last name",
		TEXT, 1, false, false, name_matches},
	{GS_KIND_FULL_NAME, "full_name",
		"first and last name",
		TEXT, 1, false, false, full_name_matches},
	{GS_KIND_USER_NAME, "user_name",
		"user name made of first and last name",
		TEXT, 1, true, false, user_name_matches},
	{GS_KIND_STREET_ADDRESS, "street_address",
		"street and number",
		TEXT, 3, false, false, street_address_matches},
	{GS_KIND_CITY, "city",
		"city, in the row's state",
		TEXT, 2, false, false, place_matches},
	{GS_KIND_POSTCODE, "postcode",
		"postcode, beginning as those of the row's state do",
		GS_FITS_DIGITS, 8, 5, false, false, postcode_matches},
	{GS_KIND_STATE, "state",
		"state, province or region of the row's city",
		TEXT, 2, false, false, place_matches},
	{GS_KIND_STATE_CODE, "state_code",
		"its code",
		TEXT, 2, false, false, code_matches},
	{GS_KIND_COUNTRY, "country",
		"country, in its own language",
		TEXT, 2, false, false, place_matches},
	{GS_KIND_COUNTRY_CODE, "country_code",
		"code of two letters (ISO 3166)",
		TEXT, 2, false, false, country_code_matches},
	{GS_KIND_LATITUDE, "latitude",
		"degrees north, near the row's city",
		GS_FITS_NUMBER, 0, 8, false, false, latitude_matches},
	{GS_KIND_LONGITUDE, "longitude",
		"degrees east, near the row's city",
		GS_FITS_NUMBER, 0, 8, false, false, longitude_matches},
	{GS_KIND_COORDINATES, "coordinates",
		"point (longitude,latitude) near the row's city",
		GS_FITS_POINT, 0, 20, false, false, coordinates_match},
	{GS_KIND_BIRTH_DATE, "birth_date",
		"date of birth",
		GS_FITS_DATE, 0, 10, false, false, birth_date_matches},
	{GS_KIND_SEX, "sex",
		"female or male, or F or M where there is no room",
		TEXT, 1, false, false, sex_matches},
	{GS_KIND_US_SSN, "us_ssn",
		"US Social Security number, beginning with 9, as none does "
		"that is issued",
		GS_FITS_DIGITS, 9, 9, false, false, us_ssn_matches},
	{GS_KIND_UK_NINO, "uk_nino",
		"UK National Insurance number, of prefixes that nobody has",
		TEXT, 9, false, true, uk_nino_matches},
	{GS_KIND_DE_STEUER_ID, "de_steuer_id",
		"German tax number (Steuer-ID)",
		GS_FITS_DIGITS, 11, 11, false, true, de_steuer_id_matches},
	{GS_KIND_FR_NIR, "fr_nir",
		"French social security number (NIR)",
		GS_FITS_DIGITS, 15, 15, false, true, fr_nir_matches},
	{GS_KIND_ES_DNI, "es_dni",
		"Spanish identity number (DNI); a NIE matches, too",
		TEXT, 9, false, true, es_dni_matches},
	{GS_KIND_IT_CODICE_FISCALE, "it_codice_fiscale",
		"Italian tax code, made of names, birth date and sex",
		TEXT, 16, false, true, it_codice_fiscale_matches},
	{GS_KIND_NL_BSN, "nl_bsn",
		"Dutch citizen service number (BSN)",
		GS_FITS_DIGITS, 9, 9, false, true, nl_bsn_matches},
	{GS_KIND_PL_PESEL, "pl_pesel",
		"Polish identity number (PESEL), made of birth date and sex",
		GS_FITS_DIGITS, 11, 11, false, true, pl_pesel_matches},
	{GS_KIND_BR_CPF, "br_cpf",
		"Brazilian taxpayer number (CPF)",
		GS_FITS_DIGITS, 11, 11, false, true, br_cpf_matches},
	{GS_KIND_BR_CNPJ, "br_cnpj",
		"Brazilian company number (CNPJ)",
		GS_FITS_DIGITS, 14, 14, false, true, br_cnpj_matches},
	{GS_KIND_JP_MY_NUMBER, "jp_my_number",
		"Japanese individual number (My Number)",
		GS_FITS_DIGITS, 12, 12, false, true, jp_my_number_matches},
	{GS_KIND_NATIONAL_ID, "national_id",
		"the one of these that people of the row's country have",
		GS_FITS_DIGITS, 15, 9, false, true, national_id_matches},
	{GS_KIND_PASSPORT, "passport",
		"passport number in the form of the row's country",
		TEXT, 9, false, false, document_matches},
	{GS_KIND_DRIVER_LICENCE, "driver_licence",
		"number of a driver's licence in the form of the row's "
		"country",
		TEXT, 8, false, false, document_matches},
	{GS_KIND_PAYMENT_CARD, "payment_card",
		"number of a payment card, with the prefix of a test card",
		GS_FITS_DIGITS, 16, 16, false, true, payment_card_matches},
	{GS_KIND_IBAN, "iban",
		"international bank account number, of no bank there is",
		TEXT, 18, false, true, iban_matches},
	{GS_KIND_IP, "ip",
		"address of the internet, of those for documentation (RFC 5737)",
		GS_FITS_INET, 0, 9, false, true, ip_matches},
	{GS_KIND_IPV6, "ipv6",
		"the same of version 6 (RFC 3849)",
		GS_FITS_INET, 0, 17, false, true, ipv6_matches},
	{GS_KIND_MAC, "mac",
		"hardware address, locally administered",
		GS_FITS_MACADDR, 0, 17, false, true, mac_matches},
	{GS_KIND_URL, "url",
		"address of a page at www.example.com",
		TEXT, 25, false, true, url_matches},
	{GS_KIND_UUID, "uuid",
		"random uuid (version 4)",
		GS_FITS_UUID, 0, 36, false, true, uuid_matches},
	{GS_KIND_LICENCE_PLATE, "licence_plate",
		"licence plate in the form of the row's country",
		TEXT, 6, false, false, licence_plate_matches},
	{GS_KIND_ACCOUNT_NUMBER, "account_number",
		"number of an account",
		GS_FITS_DIGITS, 10, 6, false, false, account_number_matches},
	{GS_KIND_FREE_TEXT, "free_text",
		"prose that may hold any of these; made of words that mean "
		"nothing",
		TEXT, 1, false, false, free_text_matches},
};

/*
 * gs_same_text: whether two texts are the same but for the case of ASCII.
 */
bool
gs_same_text(const char *a, const char *b, int len)
{
	for (int i = 0; i < len; i++)
	{
		char		x = a[i] >= 'A' && a[i] <= 'Z' ? a[i] + 32 : a[i];
		char		y = b[i] >= 'A' && b[i] <= 'Z' ? b[i] + 32 : b[i];

		if (x != y)
			return false;
	}
	return true;
}

static bool
is_among(const char *text, int len, const char *const *words, int n)
{
	for (int i = 0; i < n; i++)
		if (strlen(words[i]) == len && gs_same_text(words[i], text, len))
			return true;
	return false;
}

/*
 * gs_sex_of: what a word or code says, in one of the languages.
 */
GsSex
gs_sex_of(const char *text, int len)
{
	if (is_among(text, len, females, sizeof(females) / sizeof(*females)))
		return GS_SEX_FEMALE;
	if (is_among(text, len, males, sizeof(males) / sizeof(*males)))
		return GS_SEX_MALE;
	return GS_SEX_UNKNOWN;
}

/*
 * gs_kind_by_name: the kind that users call so; NULL if there is none.
 */
const GsKind *
gs_kind_by_name(const char *name)
{
	for (int i = 0; i < GS_KIND_COUNT; i++)
		if (strcmp(gs_kinds[i].name, name) == 0)
			return &gs_kinds[i];
	return NULL;
}

/*
 * gs_kind_matches: whether a text looks like a value of the kind.
 *
 * Check digits must be right; spaces around it do not count.
 */
bool
gs_kind_matches(const GsKind *kind, const char *text, int len)
{
	while (len > 0 && text[0] == ' ')
		text++, len--;
	while (len > 0 && text[len - 1] == ' ')
		len--;
	return len > 0 && kind->matches(text, len);
}

/*
 * gs_locale_by_name: the GsLocaleId of "de_DE"; -1 if there is none.
 */
int
gs_locale_by_name(const char *name)
{
	for (int i = 0; i < GS_LOCALE_COUNT; i++)
		if (strcmp(gs_locale_names[i], name) == 0)
			return i;
	return -1;
}

/*
 * gs_locale_by_country: the GsLocaleId of a country's code or name, which may
 * be in several languages; -1 if it is none of the ten.
 */
int
gs_locale_by_country(const char *country, int len)
{
	for (int i = 0; i < GS_LOCALE_COUNT; i++)
		for (int j = 0; j < 12 && countries[i][j]; j++)
			if (strlen(countries[i][j]) == len &&
				gs_same_text(countries[i][j], country, len))
				return i;
	return -1;
}

/*
 * gs_country_name: how a locale's people call their country.
 */
const char *
gs_country_name(int locale)
{
	/* where in countries[] */
	static const char own[GS_LOCALE_COUNT] = {2, 2, 3, 2, 3, 3, 3, 3, 3, 3};

	return countries[locale][(int) own[locale]];
}
