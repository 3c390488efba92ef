/*
 * test_pseudonym.c
 *	  Pseudonyms: vectors of SipHash, bijections of each format, an inverse,
 *	  shapes that are more than a format.
 */
#include <stdlib.h>

#include "test.h"

/*
 * A copy of its own, for the inverse to know a format's key and its places;
 * the library's functions are linked, too.
 */
#define gs_pseudonym_text tested_text
#define gs_pseudonym_integer tested_integer
#include "mask/pseudonym.c"

static const GsPseudonymKey key = {{UINT64_C(0x0706050403020100),
UINT64_C(0x0f0e0d0c0b0a0908)}};

/* of the reference implementation's vectors.h: the input is 0, 1, 2, ... */
static void
test_vectors(void)
{
	static const struct
	{
		size_t		len;
		unsigned char hash[16];
	}			vectors[] = {
		{0, {0xa3, 0x81, 0x7f, 0x04, 0xba, 0x25, 0xa8, 0xe6,
		0x6d, 0xf6, 0x72, 0x14, 0xc7, 0x55, 0x02, 0x93}},
		{1, {0xda, 0x87, 0xc1, 0xd8, 0x6b, 0x99, 0xaf, 0x44,
		0x34, 0x76, 0x59, 0x11, 0x9b, 0x22, 0xfc, 0x45}},
		{8, {0x3b, 0x62, 0xa9, 0xba, 0x62, 0x58, 0xf5, 0x61,
		0x0f, 0x83, 0xe2, 0x64, 0xf3, 0x14, 0x97, 0xb4}},
		{15, {0x54, 0x93, 0xe9, 0x99, 0x33, 0xb0, 0xa8, 0x11,
		0x7e, 0x08, 0xec, 0x0f, 0x97, 0xcf, 0xc3, 0xd9}},
		{16, {0x6e, 0xe2, 0xa4, 0xca, 0x67, 0xb0, 0x54, 0xbb,
		0xfd, 0x33, 0x15, 0xbf, 0x85, 0x23, 0x05, 0x77}},
		{63, {0x51, 0x50, 0xd1, 0x77, 0x2f, 0x50, 0x83, 0x4a,
		0x50, 0x3e, 0x06, 0x9a, 0x97, 0x3f, 0xbd, 0x7c}}
	};
	unsigned char input[64];
	uint64_t	pair[2];
	uint64_t	result[2];
	int			wrong = 0;

	for (int i = 0; i < 64; i++)
		input[i] = (unsigned char) i;
	for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++)
	{
		GsSipHash	hash;

		gs_siphash_begin(&hash, key.word);
		gs_siphash_add(&hash, input, vectors[i].len);
		gs_siphash_end(&hash, result);
		for (int k = 0; k < 16; k++)
			wrong += (unsigned char) (result[k / 8] >> 8 * (k % 8)) !=
				vectors[i].hash[k];
		if (vectors[i].len != 16)
			continue;
		gs_siphash_pair(key.word, key.word[0], key.word[1], pair);
		wrong += pair[0] != result[0] || pair[1] != result[1];
	}
	CHECK(wrong == 0, "published vectors of SipHash-2-4 with 128 bits");
}

static Wide
unpermute(const uint64_t format_key[2], Wide last, Wide x)
{
	int			bits = 0;
	Wide		low_n;
	Wide		high_n;

	while (bits < 128 && (last >> bits) != 0)
		bits++;
	low_n = (Wide) 1 << bits / 2;
	high_n = last / low_n + 1;
	do
	{
		Wide		low = x % low_n;
		Wide		high = x / low_n;

		for (int round = ROUNDS - 1; round >= 0; round--)
		{
			if (round % 2 == 0)
				low = (low + low_n - round_number(format_key, round,
						(uint64_t) high, low_n) % low_n) % low_n;
			else
				high = (high + high_n - round_number(format_key, round,
						(uint64_t) low, high_n)) % high_n;
		}
		x = high * low_n + low;
	} while (x > last);
	return x;
}

/* What a round has added is what it adds to zeros. */
static void
subtract_half(const Format *format, const Shape *shape, char *text, size_t len,
			  size_t middle, int round)
{
	char	   *zeros = malloc(len);
	GsSipHash	hash;
	uint64_t	other[2];
	char		number = (char) round;
	size_t		from = round % 2 == 0 ? 0 : middle;
	size_t		to = round % 2 == 0 ? middle : len;
	Place		place;

	gs_siphash_begin(&hash, format->key);
	gs_siphash_add(&hash, &number, 1);
	for (size_t at = from == 0 ? middle : 0; at < (from == 0 ? len : middle);
		 at += place.bytes)
	{
		place = place_at(shape, text, len, at);
		if (place.class != LITERAL)
			gs_siphash_add(&hash, text + at, place.bytes);
	}
	gs_siphash_end(&hash, other);
	memcpy(zeros, text, len);
	for (size_t at = from; at < to; at += place.bytes)
	{
		place = place_at(shape, text, len, at);
		if (place.class != LITERAL)
			set_place(zeros + at, &place, 0);
	}
	add_half(format->key, round, shape, zeros, len, from, to, other);
	for (size_t at = from; at < to; at += place.bytes)
	{
		Place		added = place_at(shape, zeros, len, at);

		place = place_at(shape, text, len, at);
		if (place.class != LITERAL)
			set_place(text + at, &place, (place.value + place.radix -
										  added.value) % place.radix);
	}
	free(zeros);
}

/* Groups of places, of a format of more than 2^128. */
static void
invert_vectors(Format *format)
{
	uint32_t	numbers[MAX_PLACES];
	int			middle = format->ngroups / 2;

	for (int round = ROUNDS - 1; round >= 0; round--)
	{
		int			from = round % 2 == 0 ? 0 : middle;
		int			to = round % 2 == 0 ? middle : format->ngroups;

		round_numbers(format->key, round,
					  format->groups + (from == 0 ? middle : 0),
					  format->ngroups - (to - from), format->groups + from,
					  to - from, numbers);
		for (int i = from; i < to; i++)
			format->groups[i].value = (uint32_t)
				(((uint64_t) format->groups[i].value + format->groups[i].n -
				  numbers[i - from]) % format->groups[i].n);
	}
}

static void
invert_once(const Shape *shape, char *text, size_t len)
{
	Format		format;
	Wide		x = 0;
	size_t		middle = 0;

	read_format(&key, shape, text, len, &format);
	if (format.last != 0)
	{
		for (size_t i = format.nplaces; i-- > 0;)
			x = x * format.places[i].radix + format.places[i].value;
		x = unpermute(format.key, format.last, x);
		for (size_t i = 0; i < format.nplaces; i++)
		{
			const Place *place = &format.places[i];

			set_place(text + place->at, place, (uint32_t) (x % place->radix));
			x /= place->radix;
		}
		return;
	}
	if (format.nplaces <= MAX_PLACES)
	{
		invert_vectors(&format);
		write_groups(&format, text);
		return;
	}
	for (size_t seen = 0; seen < format.nplaces / 2;)
	{
		Place		place = place_at(shape, text, len, middle);

		seen += place.class != LITERAL;
		middle += place.bytes;
	}
	for (int round = ROUNDS - 1; round >= 0; round--)
		subtract_half(&format, shape, text, len, middle, round);
}

static void
invert(char *text, size_t len)
{
	Shape		shape = find_shape(text, len, true);
	Shape		made;

	do
	{
		invert_once(&shape, text, len);
		if (shape.style == IBAN)
			gs_check_set(GS_CHECK_IBAN, text, (int) len);
		else if (shape.style == LUHN)
			gs_check_set(GS_CHECK_LUHN, text, (int) len);
		made = find_shape(text, len, true);
	} while (!same_shape(&shape, &made));
}

static int
compare(const void *a, const void *b)
{
	return strcmp(*(char *const *) a, *(char *const *) b);
}

/* a text's format, as a reader sees it */
static void
format_of(const char *text, char *format)
{
	for (; *text != '\0'; text++)
		*format++ = *text >= '0' && *text <= '9' ? '9' :
			*text >= 'a' && *text <= 'z' ? 'a' :
			*text >= 'A' && *text <= 'Z' ? 'A' :
			(*text & 0xC0) == 0xC0 ? *text & 0xE0 :
			(*text & 0x80) != 0 ? 0x80 : *text;
	*format = '\0';
}

/*
 * n texts of sprintf(pattern, i): their pseudonyms are distinct, of the same
 * format where that is to be looked at, others than they were but by chance,
 * and lead back.
 */
static void
test_format(const char *name, const char *pattern, int n, bool look)
{
	char	  **made = malloc(n * sizeof(char *));
	int			kept = 0;
	int			other = 0;
	int			lost = 0;
	int			refused = 0;
	int			twice = 0;
	char		line[200];

	for (int i = 0; i < n; i++)
	{
		char		text[1200];
		char		copy[1200];
		char		before[1200];
		char		after[1200];
		size_t		len;

		snprintf(text, sizeof(text), pattern, i);
		len = strlen(text);
		strcpy(copy, text);
		refused += !gs_pseudonym_text(&key, copy, len, true);
		made[i] = strdup(copy);
		kept += strcmp(copy, text) == 0;
		format_of(text, before);
		format_of(copy, after);
		other += look && strcmp(before, after) != 0;
		if (i % 16 == 0)
		{
			invert(copy, len);
			lost += strcmp(copy, text) != 0;
		}
	}
	qsort(made, n, sizeof(char *), compare);
	for (int i = 1; i < n; i++)
		twice += strcmp(made[i - 1], made[i]) == 0;
	for (int i = 0; i < n; i++)
		free(made[i]);
	free(made);
	snprintf(line, sizeof(line), "%s: all distinct, and lead back", name);
	CHECK(refused == 0 && twice == 0 && lost == 0, line);
	snprintf(line, sizeof(line), "%s: of the same format, and others", name);
	CHECK(other == 0 && kept <= 8, line);
	if (refused + twice + lost + other > 0 || kept > 8)
		printf("# %d refused, %d twice, %d lost, %d other, %d kept\n",
			   refused, twice, lost, other, kept);
}

static void
test_formats(void)
{
	test_format("least space", "%03d", 1000, true);
	test_format("a whole space with a prefix", "C-%05d", 100000, true);
	test_format("social security numbers", "%03d-12-6789", 1000, true);
	test_format("letters and digits", "Ab%06d-xyz", 60000, true);
	test_format("e-mail", "john.%06d@example.com", 60000, true);
	test_format("umlauts", "J\303\274rgen M\303\274ller %04d", 10000, true);
	test_format("Cyrillic", "\320\230\320\262\320\260\320\275 %05d", 10000,
				true);
	test_format("Han", "\346\235\216\345\260\217\351\276\231%05d", 10000,
				true);
	test_format("29 letters", "abcdefghijklmnopqrstuvwx%05d", 4000, true);
	test_format("Han, more than 2^128", "\346\235\216\345\260\217\351\276\231"
				"\346\235\216\345\260\217\351\276\231\346\235\216"
				"\345\260\217\351\276\231%05d", 4000, true);
	test_format("more than 128 places", "the quick brown fox jumps over the lazy dog %05d "
				"the quick brown fox jumps over the lazy dog "
				"the quick brown fox jumps over the lazy dog, and more than once or twice",
				1000, true);
	test_format("long", "the quick brown fox jumps over the lazy dog, %05d of "
				"all days, and then over another one that is no less lazy",
				4000, true);
	test_format("uuids", "550e8400-e29b-41d4-a716-4466554%05x", 20000, false);
	test_format("upper-case uuids", "550E8400-E29B-41D4-A716-4466554%05X",
				20000, false);
	test_format("hashes", "d41d8cd98f00b204e9800998ecf%05x", 20000, false);
	test_format("sixteen hexadecimal digits", "d41d8cd98f0%05x", 20000, false);
	test_format("emoji stay", "\360\237\230\200 %05d", 10000, true);
}

/* All numbers of eight digits that are Luhn's go to such, and all others. */
static void
test_luhn(void)
{
	int			n = 0;
	int			wrong = 0;
	int			lost = 0;

	for (int i = 0; i < 400000; i++)
	{
		char		text[32];
		char		copy[32];
		bool		valid;

		snprintf(text, sizeof(text), "4111 %04d %04d", i / 10000, i % 10000);
		strcpy(copy, text);
		valid = gs_check_holds(GS_CHECK_LUHN, text, (int) strlen(text));
		n += valid;
		gs_pseudonym_text(&key, copy, strlen(copy), true);
		wrong += gs_check_holds(GS_CHECK_LUHN, copy, (int) strlen(copy)) !=
			valid;
		if (i % 16 == 0)
		{
			invert(copy, strlen(copy));
			lost += strcmp(copy, text) != 0;
		}
	}
	CHECK(n == 40000 && wrong == 0 && lost == 0,
		  "numbers with check digits stay such, and others stay others");
}

/* What was made before is made again: databases keep pseudonyms for years. */
static void
test_pinned(void)
{
	static const char *const pairs[][2] = {
		{"123-45-6789", "243-52-1565"},
		{"john.walker83@example.com", "sson.bamedr65@ggrrmki.fpk"},
		{"4111111111111111", "2186782076942411"},
		{"f81d4fae-7dec-41d0-a765-00a0c91e6bf6",
		"ec87d541-7ef6-477f-af84-02459595c32d"},
		{"9e107d9d372bb6826bd81d3542a419d6",
		"7a1679cc92377d0291325cc8948546ae"},
		{"Александр", "Ррыщфзйчп"},
		{"aaaaaaaaaaaaaaaaaaaaaaaaaaaa", "mzafdaywtladtlisxocogwnhsmlj"},
		{"The quick brown fox jumps over the lazy dogs of 12 hamlets.",
		"Kfj mzxbn jadkk zev ewefv belx xcd fzps cjkf os 03 btyidpf."}
	};
	int			wrong = 0;

	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++)
	{
		char		text[100];

		strcpy(text, pairs[i][0]);
		gs_pseudonym_text(&key, text, strlen(text), true);
		wrong += strcmp(text, pairs[i][1]) != 0;
	}
	wrong += gs_pseudonym_integer(&key, 123456, INT64_MAX) != 91169;
	wrong += gs_pseudonym_integer(&key, -7, INT64_MAX) != -28910;
	CHECK(wrong == 0, "pseudonyms are those that they were");
}

static void
test_iban(void)
{
	int			wrong = 0;
	int			lost = 0;
	int			n = 0;
	int			same = 0;

	/* 97 and 00 both hold; the one is an IBAN, the other a text like it */
	for (int i = 0; i < 10000; i++)
	{
		char		text[32];
		char		copy[32];

		snprintf(text, sizeof(text), "DE973704004405320130%02d", i % 100);
		text[10] = (char) ('0' + i / 100 % 10);
		text[11] = (char) ('0' + i / 1000);
		if (!gs_check_holds(GS_CHECK_IBAN, text, 22))
			continue;
		n++;
		strcpy(copy, text);
		copy[2] = copy[3] = '0';
		gs_pseudonym_text(&key, text, 22, true);
		gs_pseudonym_text(&key, copy, 22, true);
		same += strcmp(text, copy) == 0;
	}
	CHECK(n > 90 && same == 0, "texts that only look like an IBAN have pseudonyms of their own");

	for (int i = 0; i < 20000; i++)
	{
		char		text[32];
		char		copy[32];

		snprintf(text, sizeof(text), "DE00 3704 0044 0532 %04d 00", i % 10000);
		if (i >= 10000)
			snprintf(text, sizeof(text), "GB00WEST1234569876%04d", i - 10000);
		/* hexadecimal digits, too */
		if (i % 3 == 0)
			snprintf(text, sizeof(text), "DE00370400440532%04d00", i % 10000);
		gs_check_set(GS_CHECK_IBAN, text, (int) strlen(text));
		strcpy(copy, text);
		gs_pseudonym_text(&key, copy, strlen(copy), true);
		wrong += !gs_check_holds(GS_CHECK_IBAN, copy, (int) strlen(copy)) ||
			strncmp(copy, text, 2) != 0;
		invert(copy, strlen(copy));
		lost += strcmp(copy, text) != 0;
	}
	CHECK(wrong == 0 && lost == 0, "IBANs stay valid, of their country");
}

static void
test_whole_spaces(void)
{
	/* every text of four digits, one letter in one of two cases before */
	static unsigned char seen[2][26][1000];
	int			wrong = 0;

	for (int upper = 0; upper < 2; upper++)
		for (int i = 0; i < 26000; i++)
		{
			char		text[8];

			snprintf(text, sizeof(text), "%c%03d",
					 (upper ? 'A' : 'a') + i / 1000, i % 1000);
			gs_pseudonym_text(&key, text, 4, true);
			wrong += seen[upper][text[0] - (upper ? 'A' : 'a')]
				[atoi(text + 1)]++ != 0;
		}
	CHECK(wrong == 0, "whole formats onto themselves");
}

static void
test_refused(void)
{
	static const char *const few[] = {"-", "7", "99", "ab", "Al", "a9", "A-1",
	"\303\274\303\266", "...", "\360\237\230\200"};
	int			wrong = 0;
	char		empty[1] = "";
	GsPseudonymKey other = {{1, 2}};
	char		a[] = "Miller";
	char		b[] = "Miller";

	for (size_t i = 0; i < sizeof(few) / sizeof(few[0]); i++)
	{
		char		text[8];

		strcpy(text, few[i]);
		wrong += gs_pseudonym_text(&key, text, strlen(text), true) ||
			strcmp(text, few[i]) != 0;
	}
	CHECK(wrong == 0, "formats of few values are refused");
	CHECK(gs_pseudonym_text(&key, empty, 0, true), "the empty text stays");
	gs_pseudonym_text(&key, a, 6, true);
	gs_pseudonym_text(&other, b, 6, true);
	CHECK(strcmp(a, b) != 0, "another key, another pseudonym");
	strcpy(a, "\374ber12");
	CHECK(gs_pseudonym_text(&key, a, 6, false) && a[0] == '\374',
		  "characters beyond ASCII stay in other encodings");
}

static int
compare_integers(const void *a, const void *b)
{
	int64_t		x = *(const int64_t *) a;
	int64_t		y = *(const int64_t *) b;

	return (x > y) - (x < y);
}

static void
test_integers(void)
{
	static int64_t made[131072];
	static const int64_t ends[] = {INT16_MIN, INT16_MAX, INT32_MIN, INT32_MAX,
		(int64_t) INT16_MIN - 1, INT16_MAX + 1, (int64_t) INT32_MIN - 1,
	(int64_t) INT32_MAX + 1, INT64_MIN, INT64_MAX, 1, -1};
	int			wrong = 0;
	int			twice = 0;

	for (int i = 0; i < 131072; i++)
	{
		int			x = i - 65536;
		int64_t		y = gs_pseudonym_integer(&key, x, INT64_MAX);

		made[i] = y;
		wrong += (x < 0) != (y < 0) || (x == 0) != (y == 0) ||
			(x == (int16_t) x) != (y == (int16_t) y) || y != (int32_t) y;
	}
	qsort(made, 131072, sizeof(int64_t), compare_integers);
	for (int i = 1; i < 131072; i++)
		twice += made[i] == made[i - 1];
	CHECK(wrong == 0 && twice == 0,
		  "whole numbers: distinct, of their sign and of the least type");
	wrong = 0;
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
	{
		int64_t		x = ends[i];
		int64_t		y = gs_pseudonym_integer(&key, x, INT64_MAX);

		wrong += (x < 0) != (y < 0) ||
			(x == (int16_t) x) != (y == (int16_t) y) ||
			(x == (int32_t) x) != (y == (int32_t) y) ||
			(x > 65536 && (y < x / 2 || y / 2 > x));
	}
	CHECK(wrong == 0, "and at the ends of types");
	wrong = 0;
	for (int64_t i = 0; i < 100000; i++)
		made[i] = gs_pseudonym_integer(&key, INT64_C(5000000000) + i, INT64_MAX);
	qsort(made, 100000, sizeof(int64_t), compare_integers);
	for (int i = 1; i < 100000; i++)
		wrong += made[i] == made[i - 1];
	CHECK(wrong == 0, "and of eight bytes");
	wrong = twice = 0;
	for (int i = 0; i < 131072; i++)
	{
		int			x = i - 65536;

		made[i] = gs_pseudonym_integer(&key, x, 9999);
		wrong += (x < 0) != (made[i] < 0) ||
			(abs(x) <= 9999) != (llabs(made[i]) <= 9999);
	}
	qsort(made, 131072, sizeof(int64_t), compare_integers);
	for (int i = 1; i < 131072; i++)
		twice += made[i] == made[i - 1];
	CHECK(wrong == 0 && twice == 0, "and of four digits among themselves");
}

/* Digits of pseudonyms of counted numbers are even: chi-square. */
static void
test_even(void)
{
	int			count[9][10] = {{0}};
	double		worst = 0;

	for (int i = 0; i < 20000; i++)
	{
		char		text[16];

		snprintf(text, sizeof(text), "A%08d", i);
		gs_pseudonym_text(&key, text, 9, true);
		for (int k = 1; k < 9; k++)
			count[k][text[k] - '0']++;
	}
	for (int k = 1; k < 9; k++)
	{
		double		chi = 0;

		for (int d = 0; d < 10; d++)
			chi += (count[k][d] - 2000.0) * (count[k][d] - 2000.0) / 2000;
		worst = chi > worst ? chi : worst;
	}
	/* 9 degrees of freedom: beyond 40 once in 10^5 */
	CHECK(worst < 40, "digits of pseudonyms are even");
}

int
main(void)
{
	test_vectors();
	test_formats();
	test_luhn();
	test_iban();
	test_pinned();
	test_whole_spaces();
	test_refused();
	test_integers();
	test_even();
	return test_done();
}
