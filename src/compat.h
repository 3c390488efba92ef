/*
 * compat.h
 *	  What differs between PostgreSQL 15 and later majors, in one place.
 */
#ifndef GENSYNTH_COMPAT_H
#define GENSYNTH_COMPAT_H

#if PG_VERSION_NUM < 150000
#error "gensynth needs PostgreSQL 15 or later"
#endif

/* 16 moved the varlena macros out of postgres.h */
#if PG_VERSION_NUM >= 160000
#include "varatt.h"
#endif

/* 16 declares functions of PG_FUNCTION_INFO_V1 as exported by itself */
#if PG_VERSION_NUM >= 160000
#define GS_FUNCTION(name) PG_FUNCTION_INFO_V1(name)
#else
#define GS_FUNCTION(name) \
	PGDLLEXPORT Datum name(PG_FUNCTION_ARGS); \
	PG_FUNCTION_INFO_V1(name)
#endif

/* 16 replaced the per-class ACL functions; 18 the module magic */
#if PG_VERSION_NUM >= 180000
#define GS_MODULE_MAGIC(version_text) \
	PG_MODULE_MAGIC_EXT(.name = "gensynth", .version = version_text)
#else
#define GS_MODULE_MAGIC(version_text) PG_MODULE_MAGIC
#endif

/* 16 lets the caller of range_serialize() take its errors */
#if PG_VERSION_NUM >= 160000
#define gs_range_serialize(typcache, lower, upper, empty) \
	range_serialize(typcache, lower, upper, empty, NULL)
#else
#define gs_range_serialize range_serialize
#endif

/* 18 replaced pg_attribute_noreturn() by a prefix; before, it may be one too */
#if PG_VERSION_NUM >= 180000
#define GS_NORETURN pg_noreturn
#else
#define GS_NORETURN pg_attribute_noreturn()
#endif

#endif
