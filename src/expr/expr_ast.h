/*
 * The parsed form of an expression: tokens, tree, and the memory they live in. Private to expr/.
 *
 * All of an expression's memory comes from its arena and goes with evs_expr_free(). Functions
 * that return a pointer give NULL after a failure, with `err` and the diag set.
 */
#ifndef EVS_EXPR_AST_H
#define EVS_EXPR_AST_H

#include "src/expr/expr.h"

#define X_MAX_TEXT  (1u << 20) /* bytes of an expression */
#define X_MAX_DEPTH 200	       /* of nodes inside each other, and of parentheses */
#define X_MAX_NODES 100000     /* parsed */

struct x_chunk;
struct x_arena {
	struct x_chunk *head;
};

/* Zeroed memory, aligned for anything. NULL: out of memory. */
void *evs_x_alloc(struct x_arena *a, size_t n);
void evs_x_arena_free(struct x_arena *a);

enum x_op {
	X_OP_NONE = 0,
	X_ADD,
	X_SUB,
	X_MUL,
	X_DIV,
	X_MOD,
	X_EQ,
	X_NE,
	X_LT,
	X_LE,
	X_GT,
	X_GE,
	X_CONCAT,
	X_ARROW,
	X_ARROW_TEXT,
	X_MATCH,
	X_NOT_MATCH,
	X_IMATCH,
	X_NOT_IMATCH, /* ~ !~ ~* !~* */
	X_COLON2,
	X_DOT,
	X_COMMA,
	X_LPAREN,
	X_RPAREN,
	X_LBRACKET,
	X_RBRACKET,
	X_SEMICOLON,
};

enum x_tok_kind { X_TOK_END, X_TOK_NUMBER, X_TOK_STRING, X_TOK_NAME, X_TOK_QUOTED, X_TOK_OP };

/* `s` is the meaning: without quotes and escapes. `at` is the text as it stands. */
struct x_tok {
	enum x_tok_kind kind;
	enum x_op op;
	const char *s;
	size_t len;
	const char *at;
	size_t at_len;
	uint32_t line, col;
};

struct x_lexer {
	struct x_arena *arena;
	const char *p, *end;
	uint32_t line, col;
	struct evs_diag *diag;
	bool semicolons; /* are tokens: X_SEMICOLON */
};

/* Next token. Returns 0, EVS_E_QUERY or EVS_E_NOMEM. */
int evs_x_lex(struct x_lexer *lx, struct x_tok *out);

enum x_kind {
	X_NULL = 1,
	X_BOOL,	  /* op: 0 or 1 */
	X_NUMBER, /* s: text, with a leading '-' when folded */
	X_STRING, /* s */
	X_NAME,	  /* part[0 .. npart) */
	X_STAR,	  /* as the argument of a call, and alone in a SELECT; part: what stands before `.*`
		   */
	X_NEG,	  /* arg[0] */
	X_NOT,	  /* arg[0] */
	X_AND,	  /* arg[0 .. n), n >= 2 */
	X_OR,	  /* the same */
	X_BINARY, /* op, arg[0], arg[1] */
	X_CALL,	  /* s: name; arg; distinct; param, filter: of aggregates */
	X_CASE,	  /* [operand] when then ... [else]; see has_operand, has_else */
	X_CAST,	  /* arg[0]; s: type text */
	X_IN,	  /* arg[0] in arg[1 ..]; negated */
	X_BETWEEN,	 /* arg[0] between arg[1] and arg[2]; negated */
	X_LIKE,		 /* arg[0] like arg[1]; negated, fold_case; escape */
	X_IS,		 /* arg[0] is op: x_is; negated */
	X_DISTINCT_FROM, /* arg[0] is distinct from arg[1]; negated */
	X_ARRAY,	 /* arg */
	X_INTERVAL,	 /* interval */
	X_INDEX,	 /* arg[0][arg[1]] */
	X_SLOT,		 /* slot: column of the table by its ordinal; only select_*.c make these */
};

enum x_is { X_IS_NULL, X_IS_TRUE, X_IS_FALSE };

#define X_NANO 1000000000LL /* nanoseconds of a second */

/* months, plus seconds, plus nanoseconds 0 .. 999,999,999 */
struct x_interval {
	int64_t months, seconds;
	int32_t nanos;
};

struct x_part {
	const char *s;
	size_t len;
};

/* What evs_x_mk() gives. `word` is the text to show in messages about the node. */
struct x_ast {
	enum x_kind kind;
	uint8_t op; /* enum x_op, enum x_is or 0 / 1 */
	bool negated, fold_case, distinct, has_operand, has_else, quoted, paren;
	uint8_t escape; /* LIKE: the escape character, 0 none */
	uint16_t depth;
	uint32_t line, col;
	const char *word;
	size_t word_len;
	const char *s;
	size_t len;
	struct x_ast **arg;
	size_t n, cap;
	struct x_part *part;
	size_t npart;
	struct x_interval interval;
	struct x_ast **param; /* f(param)(arg) */
	size_t nparam;
	struct x_ast *filter; /* f(arg) FILTER (WHERE filter) */
	/* Once names are resolved (select_*.c): */
	uint16_t slot;
	uint32_t size; /* terms, those of every use of an alias counted */
	uint64_t hash; /* equal for equal terms */
};

struct x_node; /* expr_node.h */

struct evs_expr {
	struct x_arena arena;
	uint32_t line, col;
	size_t nast;
	struct x_ast *root;
	struct x_node *bound;
	struct x_node *nodes;	  /* all bound ones, for release */
	struct evs_table **types; /* tables that hold the types named in casts */
	size_t ntypes, types_cap;
	uint16_t *used; /* ordinals of columns, no order */
	size_t nused, used_cap;
};

struct x_parser {
	struct evs_expr *e;
	struct x_lexer lx;
	struct x_tok tok, next;
	const char *end; /* of the token before `tok` */
	unsigned depth;
	int err;
	struct evs_diag *diag;
};

/* ---- expr_parse.c and expr_parse_atom.c
 * ------------------------------------------------------------ */

/* Binding powers, as PostgreSQL's precedence. */
enum x_power {
	X_BP_OR = 10,
	X_BP_AND = 20,
	X_BP_NOT = 30,
	X_BP_IS = 40,
	X_BP_COMPARE = 50,
	X_BP_IN = 60, /* IN BETWEEN LIKE */
	X_BP_OTHER = 70,
	X_BP_ADD = 80,
	X_BP_MUL = 90,
	X_BP_UNARY = 110,
	X_BP_POSTFIX = 120,
};

struct x_ast *evs_x_parse(struct x_parser *p, unsigned min_power);
struct x_ast *evs_x_parse_atom(struct x_parser *p);

/* A node at token `t`. */
struct x_ast *evs_x_mk(struct x_parser *p, enum x_kind kind, const struct x_tok *t);

/* Add a child; keeps the depth cap. False: failed. */
bool evs_x_add(struct x_parser *p, struct x_ast *a, struct x_ast *child);

bool evs_x_step(struct x_parser *p); /* to the next token */
bool evs_x_is_word(const struct x_tok *t, const char *lower);
bool evs_x_is_op(const struct x_tok *t, enum x_op op);
bool evs_x_expect(struct x_parser *p, enum x_op op, const char *what);
bool evs_x_expect_word(struct x_parser *p, const char *lower);

/* Fail at a token. Returns NULL. */
void *evs_x_parse_fail(struct x_parser *p, const struct x_tok *t, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* Type name after AS or '::': its text into *s, *len. */
bool evs_x_parse_type(struct x_parser *p, const char **s, size_t *len);

/* "24 hours", "1 month 2 days", "01:30:00"; or "24" with a unit of its own. False: not an
 * interval. */
bool evs_x_interval_text(const char *s, size_t len, struct x_interval *out);
/* `n` times `unit`. False: no such unit, or out of range. */
bool evs_x_interval_unit(const char *number, size_t nlen, const char *unit, size_t ulen,
			 struct x_interval *out);

/* ---- expr_suggest.c
 * -------------------------------------------------------------------------------- */

/* Keeps the nearest of the candidates offered to it. */
struct x_suggest {
	const char *word;
	size_t len;
	char best[64];
	unsigned distance; /* of best; starts beyond what counts */
};

void evs_x_suggest_init(struct x_suggest *s, const char *word, size_t len);
void evs_x_suggest_offer(struct x_suggest *s, const char *name, size_t len);
/* "; did you mean `best`?" into buf, or "". Returns buf. */
const char *evs_x_suggest_text(const struct x_suggest *s, char *buf, size_t cap);

/* ASCII case aside. */
bool evs_x_same_word(const char *s, size_t len, const char *lower);

#endif
