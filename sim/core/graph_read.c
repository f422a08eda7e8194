/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Graphs that the user gives: inline edges, and files. Lists of edges have a strict reader of our own, the richer
 * formats are igraph's. */
#include "sim/core/arcs.h"
#include "sim/core/csv.h"
#include "sim/core/mem.h"
#include <float.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define MAX_COMPLAINTS 10

bool sim_graph_weight_ok(double w) {
  return w >= (double)FLT_MIN && w <= (double)FLT_MAX;
}

/* Parses an id at *p. Returns NULL, or what is wrong. */
static const char *take_id(const char **p, uint32_t *id) {
  const char *at = *p;
  uint64_t n = 0;
  if (*at == '-') return "node ids count from 0; this one is negative";
  if (*at < '0' || *at > '9') return "expected a node id, a whole number from 0";
  for (; *at >= '0' && *at <= '9'; at++) {
    n = n * 10 + (uint64_t)(*at - '0');
    if (n >= SIM_MAX_NODES) return "the node id is too large (at most 2147483646)";
  }
  *p = at;
  *id = (uint32_t)n;
  return NULL;
}

static const char *take_weight(const char **p, double *w) {
  char *end;
  size_t length = strspn(*p, "+-.0123456789eE");
  *w = strtod(*p, &end);
  if (length == 0 || end != *p + length) return "expected a weight, a number above 0";
  if (!sim_graph_weight_ok(*w)) return "a weight must be positive and finite";
  *p = end;
  return NULL;
}

/* ---- inline edges ---------------------------------------------------------------------------------------------- */

/* Parses one of "u-v", "u>v", "u-v:w", "u>v:w". */
static const char *take_edge(const char **p, uint32_t id[2], bool *arrow, double *w) {
  const char *wrong = take_id(p, &id[0]);
  if (wrong) return wrong;
  if (**p != '-' && **p != '>') return "expected - or > between two node ids";
  *arrow = *(*p)++ == '>';
  wrong = take_id(p, &id[1]);
  *w = 1;
  if (!wrong && **p == ':') {
    ++*p;
    wrong = take_weight(p, w);
  }
  return wrong ? wrong : strchr(" \t\r\n", **p) ? NULL : "expected a space between two edges";
}

int sim_make_edges(struct sim_arcs *out, struct sim_graph_request *r) {
  const char *text = sim_value_text(r->call, "of");
  bool weighted = strchr(text, ':') != NULL;
  uint32_t largest = 0;
  out->directed = strchr(text, '>') != NULL;
  for (const char *p = text + strspn(text, " \t\r\n"); *p; p += strspn(p, " \t\r\n")) {
    uint32_t id[2];
    bool arrow;
    double w;
    const char *token = p, *wrong = take_edge(&p, id, &arrow, &w);
    if (wrong) return sim_graph_complain(r, "of", "edge '%.*s': %s", (int)strcspn(token, " \t\r\n"), token, wrong);
    for (int way = 0; way < (out->directed && !arrow ? 2 : 1); way++) {
      int rc = weighted ? sim_arcs_add_weighted(out, id[way], id[1 - way], w) : sim_arcs_add(out, id[way], id[1 - way]);
      if (rc != 0) return rc;
    }
    uint32_t higher = id[0] > id[1] ? id[0] : id[1];
    if (higher > largest) largest = higher;
  }
  if (out->n == 0) return sim_graph_complain(r, "of", "no edges; expected a list such as 0-1 1-2");
  if (r->nodes > 0 && largest >= r->nodes)
    return sim_graph_complain(r, "of", "node %u, but the layer has %u nodes (0 to %u)", largest, r->nodes,
                              r->nodes - 1);
  if (r->nodes == 0) out->nodes = largest + 1;
  return 0;
}

/* ---- lists of edges -------------------------------------------------------------------------------------------- */

struct edge_line {
  uint32_t id[2];
  double weight;
  bool weighted;
};

static const char *skip_blanks(const char *p) {
  while (*p == ' ' || *p == '\t') p++;
  return p;
}

static bool ends(const char *p) {
  return *p == '\0' || *p == '\n' || *p == '#' || (*p == '\r' && (p[1] == '\n' || !p[1]));
}

/* Moves over what stands between two numbers: blanks, or one comma or semicolon with blanks around it. */
static bool take_separator(const char **p) {
  const char *at = skip_blanks(*p);
  if (*at == ',' || *at == ';') at = skip_blanks(at + 1);
  bool some = at != *p;
  *p = at;
  return some;
}

/* Parses "u v" or "u v w"; *p stays where something is wrong. */
static const char *take_edge_line(const char **p, struct edge_line *e) {
  const char *wrong = take_id(p, &e->id[0]);
  if (wrong) return wrong;
  if (!take_separator(p)) return "expected a space, a tab or a comma after a node id";
  if (ends(*p)) return "expected a second node id";
  wrong = take_id(p, &e->id[1]);
  if (wrong) return wrong;
  e->weighted = take_separator(p) && !ends(*p);
  if (e->weighted) wrong = take_weight(p, &e->weight);
  if (wrong) return wrong;
  *p = skip_blanks(*p);
  return ends(*p) ? NULL : e->weighted ? "more than two ids and a weight" : "expected a space, a tab or a comma";
}

struct edge_list {
  struct sim_arcs *out;
  struct sim_graph_request *request;
  const struct sim_value *file;
  struct sim_graph_reading how;
  size_t lines;
  bool weighted;
  uint32_t largest, declared; /* nodes by a first line that is one number; 0: none */
};

/* Takes a first line that is a number alone, as some collections have it: the number of nodes, or -1 for unknown. */
static bool take_declaration(struct edge_list *list, const char *p) {
  bool unknown = p[0] == '-' && p[1] == '1' && ends(skip_blanks(p + 2));
  uint32_t nodes = 0;
  if (!unknown && (take_id(&p, &nodes) || !ends(skip_blanks(p)))) return false;
  list->declared = nodes;
  return true;
}

/* Nodes that an id must be below; 0: any. */
static uint32_t id_limit(const struct edge_list *list) {
  uint32_t nodes = list->request->nodes;
  return list->declared > 0 && (nodes == 0 || list->declared < nodes) ? list->declared : nodes;
}

static const char beyond[] = "a node id is beyond the number of nodes";

/* Parses and keeps the edge at p. Returns NULL, or what is wrong and *p where. */
static const char *keep_edge(struct edge_list *list, const char **p, int *rc) {
  const char *start = *p;
  struct edge_line e = {.weight = 1};
  const char *wrong = take_edge_line(p, &e);
  if (wrong) return wrong;
  uint32_t higher = e.id[0] > e.id[1] ? e.id[0] : e.id[1], nodes = id_limit(list);
  if (nodes > 0 && higher >= nodes) {
    *p = start;
    return beyond;
  }
  if (list->lines++ == 0) list->weighted = e.weighted;
  if (e.weighted != list->weighted)
    return e.weighted ? "a weight, where the lines before have none" : "no weight, where the lines before have one";
  if (higher > list->largest) list->largest = higher;
  *rc = e.weighted && list->how.weights ? sim_arcs_add_weighted(list->out, e.id[0], e.id[1], e.weight)
                                        : sim_arcs_add(list->out, e.id[0], e.id[1]);
  return NULL;
}

static int report_line(const struct edge_list *list, unsigned line, size_t column, const char *wrong) {
  struct sim_mark mark = {list->file->text, line, (unsigned)column};
  struct sim_diag *diag = list->request->diag;
  if (wrong != beyond) return sim_diag_add(diag, &mark, list->file->path, "%s", wrong);
  uint32_t nodes = id_limit(list);
  return sim_diag_add(diag, &mark, list->file->path, "%s (%u: ids 0 to %u)", wrong, nodes, nodes - 1);
}

static bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static int read_edge_list(struct edge_list *list, const char *text, bool may_name_columns) {
  int rc = 0, complaints = 0;
  unsigned number = 1;
  bool first = true;
  for (const char *line = text, *next; *line && complaints < MAX_COMPLAINTS && rc != SIM_ERR_MEMORY;
       line = next, number++) {
    const char *p = skip_blanks(line), *wrong = NULL;
    int kept = 0;
    if (!ends(p) && *p != '%') {
      bool header = first && ((may_name_columns && (*p == '"' || is_letter(*p))) || take_declaration(list, p));
      if (!header) wrong = keep_edge(list, &p, &kept);
      first = false;
    }
    if (wrong) {
      kept = report_line(list, number, (size_t)(p - line) + 1, wrong);
      complaints++;
    }
    if (kept != 0) rc = kept;
    next = strchr(p, '\n');
    next = next ? next + 1 : p + strlen(p);
  }
  return rc;
}

static int check_edge_list(struct edge_list *list) {
  struct sim_graph_request *r = list->request;
  if (list->lines == 0) return sim_graph_complain(r, "path", "%s: no edges in the file", list->file->text);
  list->out->nodes = list->declared > 0 ? list->declared : list->largest + 1;
  if (r->nodes > 0 || list->declared > 0) return 0;
  if (list->largest > 10000000 && list->largest / 100 > list->lines)
    return sim_graph_complain(r, "path",
                              "%s: a node id of %u, but only %zu edges; number the nodes from 0 without gaps, or name "
                              "the file .ncol, where ids are free names",
                              list->file->text, list->largest, list->lines);
  return 0;
}

/* ---- files ----------------------------------------------------------------------------------------------------- */

static const char *extension(const char *path) {
  static const char *const known[] = {"edges", "txt", "csv", "tsv", "ncol", "gml", "graphml", "net"};
  const char *dot = strrchr(path, '.');
  for (size_t i = 0; dot && i < sizeof known / sizeof *known; i++)
    if (strcasecmp(dot + 1, known[i]) == 0) return known[i];
  return NULL;
}

int sim_make_file(struct sim_arcs *out, struct sim_graph_request *r) {
  const struct sim_value *file = sim_value_get(r->call, "path");
  const char *format = extension(file->text), *direction = sim_value_text(r->call, "direction"),
             *weights = sim_value_text(r->call, "weights");
  struct sim_graph_reading how = {.by_file = !direction,
                                  .directed = direction && strcmp(direction, "directed") == 0,
                                  .weights = !weights || strcmp(weights, "used") == 0};
  if (!format)
    return sim_graph_complain(r, "path", "%s: graphs are read from .edges .txt .csv .tsv .ncol .gml .graphml .net",
                              file->text);
  char *text;
  size_t length;
  int rc = sim_text_read(&text, &length, file, r->diag);
  if (rc != 0) return rc;
  if (format[0] == 'g' || format[0] == 'n') {
    rc = sim_graph_read_igraph(out, r, file->text, format, text, length, how);
  } else {
    struct edge_list list = {.out = out, .request = r, .file = file, .how = how};
    out->directed = how.directed;
    rc = read_edge_list(&list, text, format[0] == 'c' || format[1] == 's');
    if (rc == 0) rc = check_edge_list(&list);
  }
  sim_free(text);
  if (rc != 0 || r->nodes == 0) return rc;
  if (out->nodes > r->nodes)
    return sim_graph_complain(r, "path", "%s: %u nodes, but the layer has %u", file->text, out->nodes, r->nodes);
  out->nodes = r->nodes; /* those that the file does not name have no edges */
  return 0;
}
