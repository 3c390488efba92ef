/*
 * pii_tally.c
 *	  What the values of a column say, and what follows from that and from its
 *	  name.
 *
 * A value passes the tests of several kinds.  Names and places are looked up
 * in the lists: words that people write as "Alice368" count without their digits.
 * It takes 95 % of the values for check digits to mean anything: one of ten
 * random numbers passes Luhn's.
 *
 * Plain C: no postgres.h.
 */
#include <string.h>

#include "mask/dictionary.h"
#include "mask/national.h"
#include "mask/pii.h"
#include "numeric/philox.h"

#define SLOTS			131072	/* twice as many as words, a power of 2 */
#define LONGEST			60		/* bytes of a word that is looked up */

/*
 * What none of so many values was is looked for in each eighth from then on,
 * until one is it: no share that matters is missed.
 */
#define FIRST_VALUES	64
#define LATER_VALUES	8

#define SURE_SHARE		0.95	/* of values with check digits */
#define MOST_SHARE		0.8		/* of values that have the form */
#define NAMED_SHARE		0.3		/* of values found in the lists, where the
								 * name says so */
#define ALONE_SHARE		0.7		/* where it does not */
#define ALONE_DISTINCT	10		/* values, for their contents alone to tell */

enum
{
	IS_FIRST = 1, IS_LAST = 2, IS_CITY = 4, IS_STATE = 8, IS_COUNTRY = 16,
	IS_STREET = 32, IS_STATE_CODE = 64
};

struct GsPiiWords
{
	uint64_t	hash[SLOTS];	/* 0: free */
	unsigned char what[SLOTS];
	uint16_t	locales[SLOTS]; /* that a name or city is of: bits */
};

/* Words of addresses, besides those of the lists of streets. */
static const char *const street_words[] = {
	"street", "st", "avenue", "ave", "av", "road", "rd", "lane", "ln",
	"drive", "dr", "boulevard", "blvd", "court", "ct", "place", "pl",
	"square", "terrace", "way", "highway", "hwy", "parkway", "close",
	"gardens", "crescent", "apt", "suite", "unit", "strasse", "str", "weg",
	"platz", "allee", "gasse", "ring", "damm", "ufer", "rue", "allée",
	"impasse", "quai", "chemin", "calle", "avenida", "paseo", "plaza",
	"carretera", "c", "via", "viale", "piazza", "corso", "vicolo", "straat",
	"laan", "plein", "gracht", "kade", "ul", "ulica", "aleja", "al", "os",
	"rua", "praça", "praca", "travessa", "alameda", "rodovia"
};

const char *const gs_pii_levels[] = {"nothing", "possible", "likely", "sure"};

/* FNV-1a of a text's letters, whatever their case and marks; never 0. */
static uint64_t
hash_word(const char *text, int len)
{
	char		folded[2 * LONGEST + 3];
	uint64_t	hash = UINT64_C(0xcbf29ce484222325);
	int			n;

	while (len > 0 && text[len - 1] >= '0' && text[len - 1] <= '9')
		len--;
	if (len == 0 || len > LONGEST)
		return 0;
	n = gs_fold_latin(text, len, -1, folded, sizeof(folded));
	if (n > 0)
		text = folded, len = n;
	for (int i = 0; i < len; i++)
		hash = (hash ^ (unsigned char) text[i]) * UINT64_C(0x100000001b3);
	return hash | 1;
}

static uint32_t
slot_of(const GsPiiWords *words, uint64_t hash)
{
	uint32_t	slot = hash >> 40 & (SLOTS - 1);

	while (words->hash[slot] != 0 && words->hash[slot] != hash)
		slot = (slot + 1) & (SLOTS - 1);
	return slot;
}

static void
add_word(GsPiiWords *words, const char *text, int what, int locale)
{
	uint64_t	hash = hash_word(text, strlen(text));
	uint32_t	slot;

	if (hash == 0)
		return;
	slot = slot_of(words, hash);
	words->hash[slot] = hash;
	words->what[slot] |= what;
	if (what & (IS_FIRST | IS_LAST | IS_CITY))
		words->locales[slot] |= 1 << locale;
}

static void
add_data(GsPiiWords *words, const GsData *data, int field, int what)
{
	for (int g = 0; g < data->ngroups; g++)
		for (uint32_t i = 0; i < data->groups[g].n; i++)
			add_word(words, gs_data_field(data, data->groups[g].first + i,
										  field), what,
					 data->groups[g].locale);
}

/*
 * gs_pii_words_size: bytes to allocate for the words.
 */
size_t
gs_pii_words_size(void)
{
	return sizeof(GsPiiWords);
}

/*
 * gs_pii_words_fill: the words of all lists, in some milliseconds.
 */
void
gs_pii_words_fill(GsPiiWords *words)
{
	memset(words, 0, sizeof(*words));
	add_data(words, &gs_data_first_names, GS_NAME_VALUE, IS_FIRST);
	add_data(words, &gs_data_first_names, GS_NAME_LATIN, IS_FIRST);
	add_data(words, &gs_data_last_names, GS_NAME_VALUE, IS_LAST);
	add_data(words, &gs_data_last_names, GS_NAME_LATIN, IS_LAST);
	add_data(words, &gs_data_cities, GS_CITY_NAME, IS_CITY);
	add_data(words, &gs_data_cities, GS_CITY_LATIN, IS_CITY);
	add_data(words, &gs_data_states, GS_STATE_NAME, IS_STATE);
	add_data(words, &gs_data_states, GS_STATE_LATIN, IS_STATE);
	add_data(words, &gs_data_states, GS_STATE_CODE, IS_STATE_CODE);
	add_data(words, &gs_data_countries, 0, IS_COUNTRY);
	add_data(words, &gs_data_streets, 0, IS_STREET);
	for (int i = 0; i < sizeof(street_words) / sizeof(*street_words); i++)
		add_word(words, street_words[i], IS_STREET, 0);
}

/* What a word is, and the locales that it is of; words NULL: not asked. */
static int
look_up(const GsPiiWords *words, const char *text, int len, int *locales)
{
	uint64_t	hash = words ? hash_word(text, len) : 0;
	uint32_t	slot;

	*locales = 0;
	if (hash == 0)
		return 0;
	slot = slot_of(words, hash);
	*locales = words->locales[slot];
	return words->what[slot];
}

static void
count_locales(GsPiiTally *tally, int locales)
{
	for (int l = 0; locales >> l != 0; l++)
		tally->locale[l] += locales >> l & 1;
}

/* The words of a value, one by one. */
static void
tally_words(GsPiiTally *tally, const GsPiiWords *words, const char *text,
			int len)
{
	int			locales;
	int			whole = look_up(words, text, len, &locales);
	int			first = 0;
	int			last = 0;
	int			any = 0;
	int			n = 0;
	bool		comma = false;

	count_locales(tally, locales);
	for (int i = 0, start = 0; i <= len; i++)
	{
		int			what = whole;

		if (i < len && text[i] != ' ' && text[i] != ',' && text[i] != '.')
			continue;
		comma = comma || (i < len && text[i] == ',' && n == 0);
		if (i > start)
		{
			if (i - start < len)
				what = look_up(words, text + start, i - start, &locales);
			count_locales(tally, locales);
			if (n++ == 0)
				first = what;
			last = what;
			any |= what;
		}
		start = i + 1;
	}
	tally->words += n;
	tally->known += (whole | any) != 0;
	/* John Walker; Walker, John; 山田 太郎 */
	tally->full += n >= 2 && n <= 5 &&
		((first & IS_FIRST && last & IS_LAST) ||
		 (first & IS_LAST && last & IS_FIRST));
	tally->first += (whole & IS_FIRST) != 0;
	tally->last += (whole & IS_LAST) != 0;
	tally->city += (whole & IS_CITY) != 0 || (n > 1 && first & IS_CITY);
	tally->state += (whole & IS_STATE) != 0;
	tally->state_code += (whole & IS_STATE_CODE) != 0;
	tally->country += (whole & IS_COUNTRY) != 0;
	tally->street += n > 1 && (any & IS_STREET) != 0;
}

static bool
is_name(GsKindId kind)
{
	return kind == GS_KIND_FIRST_NAME || kind == GS_KIND_LAST_NAME ||
		kind == GS_KIND_FULL_NAME;
}

/*
 * Whether a kind's test is worth while: a text of few digits is no number, and
 * so on.
 */
static bool
may_match(GsKindId kind, int len, int digits, int compact, const char *text)
{
	switch (kind)
	{
		case GS_KIND_EMAIL:
			return memchr(text, '@', len) != NULL;
		case GS_KIND_URL:
			return len > 7 && text[0] >= 'f' && text[0] <= 'w';
		case GS_KIND_FREE_TEXT:
			return len > 12 && memchr(text, ' ', len) != NULL;
		case GS_KIND_PHONE:
		case GS_KIND_PHONE_NATIONAL:
			return digits >= 7 && len <= 32;
		case GS_KIND_STREET_ADDRESS:
		case GS_KIND_LATITUDE:
		case GS_KIND_LONGITUDE:
			return digits > 0;
		case GS_KIND_POSTCODE:
			return digits > 1 && compact <= 9;
		case GS_KIND_LICENCE_PLATE:
			return digits > 0 && len <= 24;
		case GS_KIND_ACCOUNT_NUMBER:
			return digits > 2 && compact <= 34;
		case GS_KIND_SEX:
			return len <= 16;
		case GS_KIND_MAC:
			return len == 17;
		case GS_KIND_UUID:
			return len == 36;
		case GS_KIND_IP:
			return digits >= 4 && len <= 18;
		case GS_KIND_IPV6:
			return len <= 49 && memchr(text, ':', len) != NULL;
		case GS_KIND_PAYMENT_CARD:
			return digits >= 13 && len <= 30;
		case GS_KIND_IBAN:
			return digits >= 8 && len <= 45 && (text[0] & 0x40) != 0;
		case GS_KIND_NATIONAL_ID:
			return false;		/* if one of the others is it */
		default:
			return kind < GS_KIND_US_SSN || kind > GS_KIND_JP_MY_NUMBER ||
				(digits >= 6 && len <= 24 &&
				 gs_national_fits(kind, compact));
	}
}

/* A value without the digits that follow letters; its bytes. */
static int
without_digits(const char *text, int len, char *out, int size)
{
	int			n = 0;

	for (int i = 0; i < len && n < size; i++)
		if (n == 0 || text[i] < '0' || text[i] > '9')
			out[n++] = text[i];
	return n;
}

/* Whether what so many values were is looked for in the next one. */
static bool
is_looked_for(const GsPiiTally *tally, int64_t found)
{
	return found > 0 || tally->values <= FIRST_VALUES ||
		tally->values % LATER_VALUES == 0;
}

/*
 * gs_pii_tally: counts one value; words may be NULL where they are not asked.
 */
void
gs_pii_tally(GsPiiTally *tally, const GsPiiWords *words, const char *text,
			 int len)
{
	char		plain[128];
	int			plain_len;
	uint64_t	hash;
	bool		separated = false;
	bool		national = false;
	int			digits = 0;
	int			compact = 0;

	while (len > 0 && text[len - 1] == ' ')
		len--;
	while (len > 0 && text[0] == ' ')
		text++, len--;
	if (len == 0)
		return;
	tally->values++;
	for (int i = 0; i < len; i++)
	{
		digits += text[i] >= '0' && text[i] <= '9';
		compact += text[i] != ' ' && (text[i] < '-' || text[i] > '/');
	}
	plain_len = without_digits(text, len, plain, sizeof(plain));
	for (int k = 0; k < GS_KIND_COUNT; k++)
	{
		bool		id = k >= GS_KIND_US_SSN && k <= GS_KIND_JP_MY_NUMBER;
		bool		match = is_looked_for(tally, tally->match
										  [id ? GS_KIND_NATIONAL_ID : k]) &&
			may_match(k, len, digits, compact, text) &&
			(is_name(k) ? gs_kinds[k].matches(plain, plain_len) :
			 gs_kinds[k].matches(text, len));

		tally->match[k] += match;
		national = national || (match && id);
	}
	tally->match[GS_KIND_NATIONAL_ID] += national;
	tally->capitals += len == 2 && text[0] >= 'A' && text[0] <= 'Z' &&
		text[1] >= 'A' && text[1] <= 'Z';
	for (int i = 1; i < len - 1; i++)
		separated |= text[i] >= '-' && text[i] <= '/';
	tally->separated += separated;
	if (words)
		tally_words(tally, is_looked_for(tally, tally->known) ? words : NULL,
					text, len);
	hash = UINT64_C(0xcbf29ce484222325);
	for (int i = 0; i < len; i++)
		hash = (hash ^ (unsigned char) text[i]) * UINT64_C(0x100000001b3);
	hash = gs_mix64(hash, 0) & 255;
	tally->sketch[hash / 64] |= UINT64_C(1) << hash % 64;
}

static int
distinct(const GsPiiTally *tally)
{
	int			n = 0;

	for (int i = 0; i < 4; i++)
		n += __builtin_popcountll(tally->sketch[i]);
	return n;
}

/* What the contents say of a kind. */
typedef struct Contents
{
	int			verdict;		/* -1 against it, 0 nothing, 1 the form, 2 more
								 * than that, 3 proof */
	int64_t		share;
	const char *seen_as;
} Contents;

static bool
at_least(int64_t count, const GsPiiTally *tally, double share)
{
	return count >= share * tally->values;
}

/* Form, and the lists: verdict 2 where enough values are in them. */
static Contents
of_list(const GsPiiTally *tally, int64_t listed, int64_t form, double share,
		const char *seen_as)
{
	if (listed > 0 && at_least(listed, tally, share))
		return (Contents) {2, listed, seen_as};
	return (Contents) {at_least(form, tally, MOST_SHARE) ? 1 : -1, form,
		"form"};
}

static Contents
contents_of(GsKindId kind, const GsPiiTally *tally)
{
	int64_t		match = tally->match[kind];
	bool		most = at_least(match, tally, MOST_SHARE);

	if (tally->values == 0)
		return (Contents) {0, 0, "type"};
	switch (kind)
	{
		case GS_KIND_FIRST_NAME:
			return of_list(tally, tally->first, 0, NAMED_SHARE,
						   "names in the lists");
		case GS_KIND_LAST_NAME:
			return of_list(tally, tally->last, match, NAMED_SHARE / 2,
						   "names in the lists");
		case GS_KIND_FULL_NAME:
			return of_list(tally, tally->full, match, NAMED_SHARE,
						   "first and last names in the lists");
		case GS_KIND_CITY:
			return of_list(tally, tally->city, match, NAMED_SHARE,
						   "cities in the lists");
		case GS_KIND_STATE:
			/* a word for a condition, too: the lists must know some */
			return of_list(tally, tally->state, 0, NAMED_SHARE,
						   "states in the lists");
		case GS_KIND_STATE_CODE:
			return of_list(tally, tally->state_code, tally->capitals,
						   NAMED_SHARE, "codes in the lists");
		case GS_KIND_COUNTRY:
			return of_list(tally, tally->country, 0, NAMED_SHARE,
						   "countries in the lists");
		case GS_KIND_STREET_ADDRESS:
			return of_list(tally, tally->street, match, NAMED_SHARE,
						   "words of streets");
		case GS_KIND_SEX:
			return (Contents) {at_least(match, tally, SURE_SHARE) &&
				distinct(tally) <= 4 ? 2 : -1, match, "words for the sexes"};
		case GS_KIND_PHONE:
			/* in its country's form, too */
			if (at_least(match, tally, MOST_SHARE))
				return (Contents) {2, match, "form"};
			match += tally->match[GS_KIND_PHONE_NATIONAL];
			return (Contents) {at_least(match, tally, MOST_SHARE) ? 1 : -1,
				match, "form"};
		case GS_KIND_US_SSN:
			if (!most)
				return (Contents) {-1, match, "form"};
			return (Contents) {at_least(tally->separated, tally, SURE_SHARE) ?
				3 : 1, match, "form"};
		case GS_KIND_IP:
		case GS_KIND_IPV6:
		case GS_KIND_MAC:
		case GS_KIND_URL:
			/* perhaps of both versions */
			if (kind == GS_KIND_IP && match > 0)
				match += tally->match[GS_KIND_IPV6];
			return (Contents) {at_least(match, tally, SURE_SHARE) ? 2 : -1,
				match, "form"};
		case GS_KIND_FREE_TEXT:
			if (match >= 3 && at_least(match, tally, 0.2))
				return (Contents) {3, match, "addresses and numbers in it"};
			if (match >= 2)
				return (Contents) {2, match, "addresses and numbers in it"};
			return (Contents) {tally->words >= 5 * tally->values ? 1 : -1,
				match, "form"};
		case GS_KIND_EMAIL:
			if (at_least(match, tally, SURE_SHARE))
				return (Contents) {3, match, "form"};
			return (Contents) {at_least(match, tally, 0.5) ? 2 : -1, match,
				"form"};
		default:
			if (gs_kinds[kind].checked)
				return (Contents) {at_least(match, tally, SURE_SHARE) ? 3 :
					tally->values < 20 ? 0 : -1, match,
					kind == GS_KIND_UUID ? "form" : "check digits"};
			return (Contents) {most ? 1 : -1, match, "form"};
	}
}

/* Kinds that say who somebody is only beside others. */
static bool
is_together(GsKindId kind)
{
	switch (kind)
	{
		case GS_KIND_CITY:
		case GS_KIND_POSTCODE:
		case GS_KIND_STATE:
		case GS_KIND_STATE_CODE:
		case GS_KIND_COUNTRY:
		case GS_KIND_COUNTRY_CODE:
		case GS_KIND_LATITUDE:
		case GS_KIND_LONGITUDE:
		case GS_KIND_COORDINATES:
		case GS_KIND_SEX:
			return true;
		default:
			return false;
	}
}

/* Numbers whose check digits other things may have, too. */
static bool
is_plain_number(GsKindId kind, const GsPiiTally *tally)
{
	return (gs_kinds[kind].fits & GS_FITS_DIGITS) != 0 &&
		kind != GS_KIND_PHONE &&
		!at_least(tally->separated, tally, SURE_SHARE);
}

static GsPiiLevel
level_alone(GsKindId kind, const GsPiiTally *tally, const Contents *seen)
{
	bool		enough = distinct(tally) >= ALONE_DISTINCT;

	switch (kind)
	{
		case GS_KIND_FULL_NAME:
			return enough && at_least(tally->full, tally, ALONE_SHARE) ?
				GS_PII_LIKELY : GS_PII_NOTHING;
		case GS_KIND_FIRST_NAME:
		case GS_KIND_LAST_NAME:
			return enough && at_least(seen->share, tally, ALONE_SHARE) &&
				seen->verdict == 2 ? GS_PII_POSSIBLE : GS_PII_NOTHING;
		case GS_KIND_IP:
		case GS_KIND_IPV6:
		case GS_KIND_MAC:
			return seen->verdict >= 2 ? GS_PII_LIKELY : GS_PII_NOTHING;
		case GS_KIND_URL:
			return seen->verdict >= 2 ? GS_PII_POSSIBLE : GS_PII_NOTHING;
		case GS_KIND_PHONE:
			return enough && seen->verdict >= 2 ? GS_PII_LIKELY :
				GS_PII_NOTHING;
		case GS_KIND_FREE_TEXT:
			return seen->verdict == 3 ? GS_PII_SURE :
				seen->verdict == 2 ? GS_PII_LIKELY : GS_PII_NOTHING;
		case GS_KIND_EMAIL:
			return seen->verdict == 3 ? GS_PII_SURE :
				seen->verdict == 2 ? GS_PII_LIKELY : GS_PII_NOTHING;
		case GS_KIND_NATIONAL_ID:
		case GS_KIND_UUID:
			return GS_PII_NOTHING;
		default:
			if (seen->verdict < 3 || !enough)
				return GS_PII_NOTHING;
			return is_plain_number(kind, tally) ? GS_PII_LIKELY : GS_PII_SURE;
	}
}

static GsPiiLevel
level_of(GsKindId kind, int strength, const GsPiiTally *tally,
		 const Contents *seen)
{
	GsPiiLevel	alone = level_alone(kind, tally, seen);

	if (strength == 0 || kind == GS_KIND_URL || kind == GS_KIND_FREE_TEXT)
		return alone == GS_PII_NOTHING && strength > 0 && seen->verdict >= 1 ?
			GS_PII_POSSIBLE : alone;
	if (seen->verdict < 0)
		return GS_PII_NOTHING;
	/* a national number by another name than its check digits is none */
	if (gs_kinds[kind].checked && seen->verdict == 1 && kind != GS_KIND_PHONE)
		return GS_PII_LIKELY;
	/* without values there is nothing against the name */
	if (strength == 3)
		return seen->verdict >= 1 || tally->values == 0 ?
			GS_PII_SURE : GS_PII_LIKELY;
	if (strength == 2)
		return seen->verdict >= 2 ? GS_PII_SURE :
			seen->verdict == 1 ? GS_PII_LIKELY : GS_PII_POSSIBLE;
	return seen->verdict >= 2 ?
		(kind != GS_KIND_FULL_NAME || at_least(tally->full, tally, 0.6) ?
		 GS_PII_SURE : GS_PII_LIKELY) :
		kind == GS_KIND_FULL_NAME ? GS_PII_NOTHING : GS_PII_POSSIBLE;
}

/*
 * gs_pii_decide: what a column holds, of all that its name, its values and its
 * type say.
 *
 * person: rows of its table are persons.  verdict->together: a kind that is
 * likely at most, until something else in the table is sure (gs_pii_raise).
 */
void
gs_pii_decide(const GsPiiName *name, const GsPiiTally *tally,
			  const GsPiiType *type, bool person, GsPiiVerdict *verdict)
{
	memset(verdict, 0, sizeof(*verdict));
	for (int k = 0; k < GS_KIND_COUNT; k++)
	{
		int			strength = name->strength[k];
		Contents	seen = contents_of(k, tally);
		GsPiiLevel	level;
		double		confidence;

		if (!type->text && (gs_kinds[k].fits & type->fits) == 0)
			continue;
		if (k == GS_KIND_STATE_CODE &&
			name->strength[GS_KIND_STATE] > strength)
			strength = name->strength[GS_KIND_STATE];
		if (k == GS_KIND_COUNTRY_CODE &&
			name->strength[GS_KIND_COUNTRY] > strength)
			strength = name->strength[GS_KIND_COUNTRY];
		if (k == GS_KIND_IPV6 && name->strength[GS_KIND_IP] > strength)
			strength = name->strength[GS_KIND_IP];
		if (k == GS_KIND_FULL_NAME && strength == 1 && person)
			strength = 2;
		if (k == GS_KIND_PHONE_NATIONAL)
		{
			/* where no number has its country */
			strength = name->strength[GS_KIND_PHONE];
			if (tally->match[GS_KIND_PHONE] > 0 || strength == 0)
				continue;
		}
		if (k == GS_KIND_PHONE && tally->values > 0 &&
			tally->match[GS_KIND_PHONE] == 0)
			continue;
		if (k == GS_KIND_UUID)
			level = (type->fits & GS_FITS_UUID || seen.verdict == 3) &&
				type->unique ? GS_PII_POSSIBLE : GS_PII_NOTHING;
		else if (k == GS_KIND_BIRTH_DATE && type->fits & GS_FITS_DATE)
		{
			seen = (Contents) {1, tally->values, "type"};
			level = strength == 3 ? GS_PII_SURE : GS_PII_NOTHING;
		}
		else
			level = level_of(k, strength, tally, &seen);
		if (is_together(k) && level > GS_PII_LIKELY)
			level = GS_PII_LIKELY;
		if (level == GS_PII_NOTHING)
			continue;
		confidence = (level == GS_PII_SURE ? 0.9 :
					  level == GS_PII_LIKELY ? 0.6 : 0.3) +
			0.02 * strength + 0.01 * (seen.verdict > 0 ? seen.verdict : 0) +
			(gs_kinds[k].checked && seen.verdict == 3 ? 0.005 : 0);
		if (confidence <= verdict->confidence)
			continue;
		verdict->kind = &gs_kinds[k];
		verdict->level = level;
		verdict->confidence = confidence;
		verdict->strength = strength;
		verdict->share = seen.share;
		verdict->values = tally->values;
		verdict->seen_as = seen.seen_as;
		/* the lists or the form, and the name, would make it sure */
		verdict->together = is_together(k) && strength == 3 &&
			(seen.verdict >= 1 || tally->values == 0);
	}
}

/*
 * gs_pii_raise: what says who somebody is only beside others, in a table in
 * which something is sure.
 */
void
gs_pii_raise(GsPiiVerdict *verdict)
{
	if (verdict->together)
	{
		verdict->level = GS_PII_SURE;
		verdict->confidence += 0.3;
	}
}
