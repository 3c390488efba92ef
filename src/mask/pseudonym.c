/*
 * pseudonym.c
 *	  Keyed bijections of formats onto themselves.  See pseudonym.h.
 *
 * Some texts are more than their format.  Hexadecimal digits, as of a uuid,
 * are digits of radix 16: which of them are letters would tell one from
 * millions.  The check digit of a number, and those of an IBAN, are computed
 * anew and not permuted; an IBAN's country stays.  Each of these shapes is a
 * set of texts of its own, and so is what remains: a text goes through the
 * permutation until it is of its shape again, which makes a bijection of each.
 *
 * Plain C: no postgres.h.
 */
#include <string.h>

#include "mask/pseudonym.h"
#include "mask/siphash.h"
#include "numeric/clones.h"
#include "text/check_digit.h"

#define ROUNDS		10
#define MIN_HEX		16			/* digits, to be hexadecimal */
#define MIN_IBAN	15
#define MAX_IBAN	42			/* with blanks */
#define MAX_NUMBER	64			/* bytes of one that has a check digit */
#define INTEGER_HASH	64			/* no style of a text */
#define FIRST_BYTES	136		/* of a format that are hashed at once */
#define MAX_PLACES	128			/* that vary, of a text that is read once */

__extension__ typedef unsigned __int128 Wide;

/*
 * Letters that replace each other: count of them, step code points apart.
 * Those of one class have as many bytes in UTF-8.
 */
typedef struct Class
{
	uint32_t	first;
	uint32_t	last;
	uint32_t	step;
} Class;

/* in ascending order of first, but where two interleave */
static const Class classes[] = {
	{'0', '9', 1}, {'A', 'Z', 1}, {'a', 'z', 1},
	{0xC0, 0xD6, 1}, {0xD8, 0xDE, 1}, {0xDF, 0xF6, 1}, {0xF8, 0xFF, 1},
	/* Latin Extended-A: upper and lower alternate */
	{0x100, 0x136, 2}, {0x101, 0x137, 2}, {0x139, 0x147, 2},
	{0x13A, 0x148, 2}, {0x14A, 0x176, 2}, {0x14B, 0x177, 2},
	{0x179, 0x17D, 2}, {0x17A, 0x17E, 2},
	/* Latin Extended Additional, with Vietnamese */
	{0x1EA0, 0x1EF8, 2}, {0x1EA1, 0x1EF9, 2},
	/* Greek, Cyrillic, Armenian, Hebrew, Arabic */
	{0x391, 0x3A1, 1}, {0x3A3, 0x3A9, 1}, {0x3B1, 0x3C9, 1},
	{0x400, 0x40F, 1}, {0x410, 0x42F, 1}, {0x430, 0x44F, 1},
	{0x450, 0x45F, 1}, {0x531, 0x556, 1}, {0x561, 0x586, 1},
	{0x5D0, 0x5EA, 1}, {0x620, 0x63A, 1}, {0x641, 0x64A, 1},
	{0x660, 0x669, 1}, {0x6F0, 0x6F9, 1},
	/* Devanagari, Bengali, Telugu, Thai, Georgian */
	{0x905, 0x939, 1}, {0x966, 0x96F, 1}, {0x995, 0x9A8, 1},
	{0xC15, 0xC28, 1}, {0xE01, 0xE2E, 1},
	{0x10D0, 0x10F0, 1},
	/* Hiragana, Katakana, Han, Hangul, full-width forms */
	{0x3041, 0x3096, 1}, {0x30A1, 0x30FA, 1}, {0x3400, 0x4DB5, 1},
	{0x4E00, 0x9FA5, 1}, {0xAC00, 0xD7A3, 1}, {0xFF10, 0xFF19, 1},
	{0xFF21, 0xFF3A, 1}, {0xFF41, 0xFF5A, 1}
};

#define NCLASSES	((int) (sizeof(classes) / sizeof(classes[0])))
#define LITERAL		(-1)
#define HEX_LOWER	NCLASSES
#define HEX_UPPER	(NCLASSES + 1)

/* What a text is besides its format. */
typedef enum Style
{
	PLAIN,
	UUID,
	HEX,
	IBAN,
	LUHN
} Style;

typedef struct Shape
{
	Style		style;
	bool		upper;			/* of hexadecimal digits */
	bool		sure;			/* all texts of the format are of this shape,
								 * with check digits that hold: signs stay */
	bool		utf8;
	int			check[2];		/* places of check digits, or -1 */
} Shape;

/* One character of a text. */
typedef struct Place
{
	uint32_t	at;
	uint16_t	value;			/* of radix values, two at least */
	uint16_t	radix;
	int8_t		class;			/* or LITERAL */
	uint8_t		bytes;
} Place;

/* Places that 32 bits hold, up to end: a number of [0, n). */
typedef struct Group
{
	uint32_t	end;
	uint32_t	n;
	uint32_t	value;
} Group;

/* A format, with the places that vary if they are not too many. */
typedef struct Format
{
	uint64_t	key[2];
	Wide		last;			/* texts of it, less one; 0: just one, or
								 * more than 2^128 */
	size_t		nplaces;
	Place		places[MAX_PLACES]; /* if these are all */
	int			ngroups;
	Group		groups[MAX_PLACES];
} Format;

/*
 * What a byte may be a part of.  Looked up, for digits and letters follow each
 * other at random, which no branch is told beforehand.
 */
enum
{
	HEX_DIGIT = 1, HEX_LETTER_LOWER = 2, HEX_LETTER_UPPER = 4,
	HEX_ANY = 7, UPPER = 8, LOWER = 16, BLANK = 32, SIGN = 64, OTHER = 128
};

static const unsigned char byte_class[256] = {
	[0 ... 31] = OTHER, [' '] = BLANK, ['!' ... '/'] = SIGN,
	['0' ... '9'] = HEX_DIGIT, [':' ... '@'] = OTHER,
	['A' ... 'F'] = HEX_LETTER_UPPER, ['G' ... 'Z'] = UPPER,
	['[' ... '`'] = OTHER, ['a' ... 'f'] = HEX_LETTER_LOWER,
	['g' ... 'z'] = LOWER, ['{' ... 255] = OTHER
};

/* The class of a byte of ASCII, more one, or 0; the first of it, and how many. */
static const struct
{
	unsigned char class;
	unsigned char first;
	unsigned char radix;
}			ascii[128] = {
	[0 ... '0' - 1] = {0, 0, 1}, ['0' ... '9'] = {1, '0', 10},
	['9' + 1 ... 'A' - 1] = {0, 0, 1}, ['A' ... 'Z'] = {2, 'A', 26},
	['Z' + 1 ... 'a' - 1] = {0, 0, 1}, ['a' ... 'z'] = {3, 'a', 26},
	['z' + 1 ... 127] = {0, 0, 1}
};

static bool
is_uuid(const char *text, size_t len, unsigned seen)
{
	if (len != 36 || (seen & ~(unsigned) (HEX_ANY | SIGN)) != 0)
		return false;
	for (size_t i = 0; i < len; i++)
		if (i == 8 || i == 13 || i == 18 || i == 23 ? text[i] != '-' :
			(byte_class[(unsigned char) text[i]] & HEX_ANY) == 0)
			return false;
	return (seen & HEX_LETTER_UPPER) == 0 || (seen & HEX_LETTER_LOWER) == 0;
}

/* Digits and letters, of one case. */
static bool
is_hex(size_t len, unsigned seen)
{
	return len >= MIN_HEX && (seen == (HEX_DIGIT | HEX_LETTER_LOWER) ||
							  seen == (HEX_DIGIT | HEX_LETTER_UPPER));
}

static bool
is_iban(const char *text, size_t len, unsigned seen)
{
	if (len < MIN_IBAN || len > MAX_IBAN ||
		(seen & ~(unsigned) (HEX_DIGIT | HEX_LETTER_UPPER | UPPER | BLANK)) != 0 ||
		memchr(text, ' ', 4) != NULL)
		return false;
	/* 00, 01 and 99 hold as well as 97, 98 and 02, but nobody has them */
	return (text[2] > '0' || text[3] > '1') &&
		(text[2] < '9' || text[3] < '9') &&
		gs_check_holds(GS_CHECK_IBAN, text, (int) len);
}

static bool
is_luhn(const char *text, size_t len, unsigned seen)
{
	return len <= MAX_NUMBER &&
		(seen & ~(unsigned) (HEX_DIGIT | BLANK | SIGN)) == 0 &&
		gs_check_holds(GS_CHECK_LUHN, text, (int) len);
}

static Shape
find_shape(const char *text, size_t len, bool utf8)
{
	Shape		shape = {PLAIN, false, false, utf8, {-1, -1}};
	unsigned	seen = 0;

	for (size_t i = 0; i < len; i++)
		seen |= byte_class[(unsigned char) text[i]];
	/* of both cases, or lower ones with blanks: neither digits nor an IBAN */
	shape.sure = (seen & OTHER) != 0 ||
		((seen & (HEX_LETTER_LOWER | LOWER)) != 0 &&
		 (seen & (HEX_LETTER_UPPER | UPPER | BLANK)) != 0);
	if (shape.sure)
		return shape;
	if (is_uuid(text, len, seen))
	{
		shape.style = UUID;
		shape.upper = (seen & HEX_LETTER_UPPER) != 0;
	}
	/* Germany's are of hexadecimal digits, too */
	else if (is_iban(text, len, seen))
	{
		shape.style = IBAN;
		shape.sure = true;
		gs_check_places(GS_CHECK_IBAN, text, (int) len, shape.check);
	}
	else if (is_hex(len, seen))
	{
		shape.style = HEX;
		shape.upper = (seen & HEX_LETTER_UPPER) != 0;
	}
	else if (is_luhn(text, len, seen))
	{
		shape.style = LUHN;
		shape.sure = true;
		gs_check_places(GS_CHECK_LUHN, text, (int) len, shape.check);
	}
	return shape;
}

static bool
same_shape(const Shape *a, const Shape *b)
{
	return a->style == b->style && a->upper == b->upper;
}

/* A code point of at most three bytes; others are literal. */
static uint32_t
decode(const char *text, size_t len, int *bytes)
{
	const unsigned char *c = (const unsigned char *) text;

	*bytes = 1;
	if (c[0] < 0x80)
		return c[0];
	if (len > 1 && (c[0] & 0xE0) == 0xC0)
	{
		*bytes = 2;
		return (uint32_t) (c[0] & 0x1F) << 6 | (c[1] & 0x3F);
	}
	if (len > 2 && (c[0] & 0xF0) == 0xE0)
	{
		*bytes = 3;
		return (uint32_t) (c[0] & 0x0F) << 12 | (uint32_t) (c[1] & 0x3F) << 6 |
			(c[2] & 0x3F);
	}
	return 0;
}

static void
encode(char *text, uint32_t point, int bytes)
{
	if (bytes == 1)
		text[0] = (char) point;
	else if (bytes == 2)
	{
		text[0] = (char) (0xC0 | point >> 6);
		text[1] = (char) (0x80 | (point & 0x3F));
	}
	else
	{
		text[0] = (char) (0xE0 | point >> 12);
		text[1] = (char) (0x80 | (point >> 6 & 0x3F));
		text[2] = (char) (0x80 | (point & 0x3F));
	}
}

static int
find_class(uint32_t point)
{
	for (int i = 3; i < NCLASSES; i++)
		if (point >= classes[i].first && point <= classes[i].last &&
			(point - classes[i].first) % classes[i].step == 0)
			return i;
	return LITERAL;
}

/* Whether a place is not permuted, though its character might be. */
static inline bool
is_kept(const Shape *shape, size_t at)
{
	switch (shape->style)
	{
		case UUID:
			/* the version and the variant */
			return at == 14 || at == 19;
		case IBAN:
			return at < 4;
		case LUHN:
			return (int) at == shape->check[0];
		default:
			return false;
	}
}

/* inline: a copy of what has just been written in parts would wait for it */
static GS_ALWAYS_INLINE Place
place_at(const Shape *shape, const char *text, size_t len, size_t at)
{
	Place		place = {(uint32_t) at, 0, 1, LITERAL, 1};
	unsigned char byte = (unsigned char) text[at];
	uint32_t	point;
	int			bytes;

	if (is_kept(shape, at))
		return place;
	if (shape->style == UUID || shape->style == HEX)
	{
		/* letters are 9 more than their last bits say */
		if ((byte_class[byte] & HEX_ANY) != 0)
			place = (Place) {(uint32_t) at,
				(uint16_t) ((byte & 15) + 9 * (byte >> 6)), 16,
				shape->upper ? HEX_UPPER : HEX_LOWER, 1};
		return place;
	}
	if (byte < 0x80)
	{
		place.class = (int8_t) (ascii[byte].class - 1);
		place.value = place.class == LITERAL ? 0 : byte - ascii[byte].first;
		place.radix = ascii[byte].radix;
		return place;
	}
	if (!shape->utf8)
		return place;
	point = decode(text + at, len - at, &bytes);
	place.bytes = (uint8_t) bytes;
	place.class = (int8_t) find_class(point);
	if (place.class != LITERAL)
	{
		const Class *class = &classes[place.class];

		place.value = (uint16_t) ((point - class->first) / class->step);
		place.radix = (uint16_t) ((class->last - class->first) / class->step + 1);
	}
	return place;
}

static inline void
set_place(char *text, const Place *place, uint32_t value)
{
	if (place->class == HEX_LOWER || place->class == HEX_UPPER)
		*text = (place->class == HEX_LOWER ? "0123456789abcdef" :
				 "0123456789ABCDEF")[value];
	else if (place->bytes == 1)
		*text = (char) (classes[place->class].first + value);
	else
		encode(text, classes[place->class].first +
			   value * classes[place->class].step, place->bytes);
}

static inline bool
is_check_place(const Shape *shape, size_t at)
{
	return (int) at == shape->check[0] || (int) at == shape->check[1];
}

/*
 * Places as few numbers: wide ones are slow, and so are many.  last becomes 0 if
 * texts are more than 2^128, or nearly as many.
 */
static void
group_places(Format *format)
{
	bool		fits = true;

	format->ngroups = 0;
	format->last = 0;
	for (size_t i = 0; i < format->nplaces;)
	{
		uint64_t	n = 1;
		uint64_t	value = 0;

		for (; i < format->nplaces && n * format->places[i].radix <= UINT32_MAX;
			 i++)
		{
			value += n * format->places[i].value;
			n *= format->places[i].radix;
		}
		format->groups[format->ngroups++] = (Group) {(uint32_t) i, (uint32_t) n,
			(uint32_t) value};
		fits = fits && ((format->last >> 64) + 1) * n <= (Wide) 1 << 64;
		format->last = fits ? format->last * n + n - 1 : 0;
	}
}

/*
 * The first characters of a plain text, as long as they are ASCII's and there
 * is room: what most texts consist of.  No branch tells letters from what
 * stays, over which the next place is written.
 */
static size_t
read_ascii(const char *text, size_t len, Format *format, char *first)
{
	size_t		most = len < FIRST_BYTES - 8 ? len : FIRST_BYTES - 8;
	size_t		n = 0;
	size_t		at;

	for (at = 0; at < most && (text[at] & 0x80) == 0; at++)
	{
		unsigned	byte = (unsigned char) text[at];
		unsigned	varies = ascii[byte].class != 0;
		unsigned	value = (byte - ascii[byte].first) * varies;

		format->places[n] = (Place) {(uint32_t) at, (uint16_t) value,
			ascii[byte].radix, (int8_t) (ascii[byte].class - 1), 1};
		n += varies;
		first[at] = (char) (byte - value);
	}
	format->nplaces = n;
	return at;
}

/*
 * Reads a text's format.  Its key is a hash of the text with the first of its
 * class in each place that varies, so each format has a permutation of its own.
 */
static void
read_format(const GsPseudonymKey *key, const Shape *shape, const char *text,
			size_t len, Format *format)
{
	GsSipHash	hash;
	char		first[FIRST_BYTES];
	size_t		at = 0;
	size_t		nfirst;
	Place		place;

	format->nplaces = 0;
	memset(first, 0, 8);
	first[0] = (char) shape->style;
	first[1] = (char) shape->upper;
	gs_siphash_begin(&hash, key->word);
	if (shape->style == PLAIN)
		at = read_ascii(text, len, format, first + 8);
	nfirst = 8 + at;
	for (; at < len; at += place.bytes)
	{
		place = place_at(shape, text, len, at);
		if (nfirst + place.bytes > sizeof(first))
		{
			gs_siphash_add(&hash, first, nfirst);
			nfirst = 0;
		}
		memcpy(first + nfirst, text + at, place.bytes);
		if (place.class != LITERAL)
		{
			set_place(first + nfirst, &place, 0);
			if (format->nplaces < MAX_PLACES)
				format->places[format->nplaces] = place;
			format->nplaces++;
		}
		else if (is_check_place(shape, at))
			first[nfirst] = '0';
		nfirst += place.bytes;
	}
	gs_siphash_add(&hash, first, nfirst);
	gs_siphash_end(&hash, format->key);
	format->last = 0;
	if (format->nplaces <= MAX_PLACES)
		group_places(format);
}

/*
 * What a round adds to one half: a random number of 64 bits or, if a half may
 * have more than 32 bits, one of [0, n) that the other half determines.
 */
static inline uint64_t
round_number(const uint64_t key[2], int round, uint64_t other, Wide n)
{
	uint64_t	random[2];

	if (n <= UINT32_MAX)
		return (uint64_t) ((Wide) gs_siphash_word(key, (uint64_t) round << 56 |
												  other) * n >> 64);
	/* powers of two, as of hexadecimal digits, take bits as they are */
	if ((n & (n - 1)) == 0)
		return (uint64_t) ((Wide) gs_siphash_words(key, (uint64_t) round,
												   other) *
						   n >> 64);
	gs_siphash_pair(key, (uint64_t) round, other, random);
	return (uint64_t) ((random[1] * n + (random[0] * n >> 64)) >> 64);
}

/*
 * A permutation of 0 to last.  The halves are as near to each other as a power
 * of two can be to the square root.
 */
static Wide
permute(const uint64_t key[2], Wide last, Wide x)
{
	uint64_t	top = (uint64_t) (last >> 64);
	int			bits = top != 0 ? 128 - __builtin_clzll(top) :
		last != 0 ? 64 - __builtin_clzll((uint64_t) last) : 0;
	int			shift = bits / 2;
	uint64_t	mask;
	Wide		high_n;

	mask = shift == 64 ? UINT64_MAX : (UINT64_C(1) << shift) - 1;
	high_n = (last >> shift) + 1;
	do
	{
		uint64_t	low = (uint64_t) x & mask;
		uint64_t	high = (uint64_t) (x >> shift);

		for (int round = 0; round < ROUNDS; round++)
		{
			if (round % 2 == 0)
				low = (low + round_number(key, round, high, (Wide) mask + 1)) &
					mask;
			else
			{
				Wide		sum = high + (Wide) round_number(key, round, low,
															 high_n);

				high = (uint64_t) (sum >= high_n ? sum - high_n : sum);
			}
		}
		x = (Wide) high << shift | low;
	} while (x > last);
	return x;
}

static void
write_groups(const Format *format, char *text)
{
	size_t		i = 0;

	for (int group = 0; group < format->ngroups; group++)
	{
		uint32_t	rest = format->groups[group].value;

		for (; i < format->groups[group].end; i++)
		{
			const Place *place = &format->places[i];
			/* the compiler knows how to divide by these */
			uint32_t	left = place->radix == 26 ? rest / 26 :
				place->radix == 16 ? rest / 16 :
				place->radix == 10 ? rest / 10 : rest / place->radix;

			set_place(text + place->at, place, rest - left * place->radix);
			rest = left;
		}
	}
}

/* Groups of a format whose texts are numbers up to last. */
static void
permute_number(Format *format)
{
	Group	   *groups = format->groups;
	Wide		x = 0;

	for (int group = format->ngroups; group-- > 0;)
		x = x * groups[group].n + groups[group].value;
	x = permute(format->key, format->last, x);
	for (int group = 0; group < format->ngroups; group++)
	{
		uint32_t	n = groups[group].n;
		Wide		next = (x >> 64) != 0 ? x / n : (uint64_t) x / n;

		groups[group].value = (uint32_t) (x - next * n);
		x = next;
	}
}

/* What a round adds to the groups of one half, which the other determines. */
static void
round_numbers(const uint64_t key[2], int round, const Group *other, int nother,
			  const Group *half, int nhalf, uint32_t *numbers)
{
	uint64_t	words[MAX_PLACES / 2];
	uint64_t	random[MAX_PLACES];
	int			n = 0;

	for (int i = 0; i < nother; i += 2)
		words[n++] = other[i].value |
			(i + 1 < nother ? (uint64_t) other[i + 1].value << 32 : 0);
	gs_siphash_series(key, words, n, (uint64_t) round << 56, nhalf, random);
	for (int i = 0; i < nhalf; i++)
		numbers[i] = (uint32_t) ((Wide) random[i] * half[i].n >> 64);
}

/*
 * Groups of a format of more than 2^128 texts: two halves are vectors, to which
 * vectors are added in turn.
 */
static void
permute_vectors(Format *format)
{
	uint32_t	numbers[MAX_PLACES];
	Group	   *groups = format->groups;
	int			middle = format->ngroups / 2;

	for (int round = 0; round < ROUNDS; round++)
	{
		bool		left = round % 2 == 0;
		Group	   *half = left ? groups : groups + middle;
		int			nhalf = left ? middle : format->ngroups - middle;

		round_numbers(format->key, round, left ? groups + middle : groups,
					  format->ngroups - nhalf, half, nhalf, numbers);
		for (int i = 0; i < nhalf; i++)
		{
			uint64_t	sum = (uint64_t) half[i].value + numbers[i];

			half[i].value = (uint32_t) (sum >= half[i].n ? sum - half[i].n : sum);
		}
	}
}

/* Adds to each place of a half what the other half says. */
static void
add_half(const uint64_t key[2], int round, const Shape *shape, char *text,
		 size_t len, size_t from, size_t to, const uint64_t other[2])
{
	uint64_t	half_key[2] = {key[0] ^ other[0], key[1] ^ other[1]};
	uint64_t	random[2];
	uint64_t	n = 0;
	Place		place;

	for (size_t at = from; at < to; at += place.bytes)
	{
		uint32_t	bits;

		place = place_at(shape, text, len, at);
		if (place.class == LITERAL)
			continue;
		if (n % 4 == 0)
			gs_siphash_pair(half_key, (uint64_t) round, n / 4, random);
		bits = (uint32_t) (random[n % 4 / 2] >> 32 * (n % 2));
		n++;
		set_place(text + at, &place, (place.value + (uint32_t)
				  ((uint64_t) bits * place.radix >> 32)) % place.radix);
	}
}

/*
 * A text of so many places that they are read again in each round: to those of
 * one half is added what the other half determines.
 */
static void
permute_long(const Format *format, const Shape *shape, char *text, size_t len)
{
	size_t		middle = 0;
	size_t		seen = 0;

	while (seen < format->nplaces / 2)
	{
		Place		place = place_at(shape, text, len, middle);

		seen += place.class != LITERAL;
		middle += place.bytes;
	}
	for (int round = 0; round < ROUNDS; round++)
	{
		bool		left = round % 2 == 0;
		GsSipHash	hash;
		uint64_t	other[2];
		char		bytes[64] = {(char) round};
		size_t		n = 1;

		gs_siphash_begin(&hash, format->key);
		/* check digits and what else is literal is the format's */
		for (size_t at = left ? middle : 0; at < (left ? len : middle);)
		{
			Place		place = place_at(shape, text, len, at);

			for (int i = 0; i < place.bytes && place.class != LITERAL; i++)
			{
				bytes[n++] = text[at + i];
				if (n == sizeof(bytes))
				{
					gs_siphash_add(&hash, bytes, n);
					n = 0;
				}
			}
			at += place.bytes;
		}
		gs_siphash_add(&hash, bytes, n);
		gs_siphash_end(&hash, other);
		add_half(format->key, round, shape, text, len, left ? 0 : middle,
				 left ? middle : len, other);
	}
}

/*
 * gs_pseudonym_text: puts its pseudonym in the place of a text.
 *
 * text: len bytes, valid in the encoding, which is UTF-8 or, if utf8 is false,
 * any of a server's: characters beyond ASCII stay as they are then.  The empty
 * text stays.  Returns false, and leaves the text as it is, if fewer than
 * GS_PSEUDONYM_LEAST texts are of its format.
 */
bool
gs_pseudonym_text(const GsPseudonymKey *key, char *text, size_t len, bool utf8)
{
	Shape		shape;
	Shape		made;
	Format		format;

	if (len == 0)
		return true;
	shape = find_shape(text, len, utf8);
	read_format(key, &shape, text, len, &format);
	if (format.nplaces == 0 ||
		(format.last != 0 && format.last < GS_PSEUDONYM_LEAST - 1))
		return false;
	do
	{
		if (format.nplaces > MAX_PLACES)
			permute_long(&format, &shape, text, len);
		else
		{
			if (format.last != 0)
				permute_number(&format);
			else
				permute_vectors(&format);
			write_groups(&format, text);
		}
		if (shape.style == IBAN)
			gs_check_set(GS_CHECK_IBAN, text, (int) len);
		else if (shape.style == LUHN)
			gs_check_set(GS_CHECK_LUHN, text, (int) len);
		if (shape.sure)
			break;
		made = find_shape(text, len, utf8);
	} while (!same_shape(&shape, &made));
	return true;
}

/*
 * gs_pseudonym_integer: the pseudonym of a whole number.
 *
 * Positive numbers become positive ones, and negative ones negative, with as
 * many bits, or up to 15.  So it is the same number in columns of smallint,
 * integer and bigint, and fits where the value did; and a sequence can go on
 * above all pseudonyms without being spent.  0 stays.
 *
 * most: INT64_MAX, or 1 or more: numbers from -most to most, all that a
 * numeric of few digits holds, stay among themselves.  Cannot fail.
 */
int64_t
gs_pseudonym_integer(const GsPseudonymKey *key, int64_t value, int64_t most)
{
	/* 32768 numbers from -32768 to -1, as from 32768 to 65535 */
	uint64_t	sign = value < 0;
	uint64_t	size = sign ? -(uint64_t) value - 1 : (uint64_t) value;
	uint64_t	cut = (uint64_t) most + 1 - sign;
	int			bits = 15;
	uint64_t	from;
	uint64_t	to;
	uint64_t	range_key[2];

	if (value == 0)
		return 0;
	while (bits < 63 && (size >> bits) != 0)
		bits++;
	from = bits > 15 ? UINT64_C(1) << (bits - 1) : 1 - sign;
	to = UINT64_C(1) << bits;
	if (size >= cut && from < cut)
		from = cut;
	else if (size < cut && to > cut)
		to = cut;
	gs_siphash_pair(key->word, INTEGER_HASH + sign, (uint64_t) bits,
					range_key);
	size = from + (uint64_t) permute(range_key, to - from - 1, size - from);
	return sign ? (int64_t) (-size - 1) : (int64_t) size;
}
