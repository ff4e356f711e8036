/* The leaves of the state tree and the hashes above them. Twin of nodes.py, where modules are compiled; the methods say
 * there what they do.
 *
 * Only what branches is kept: a node here is a leaf, a branch of two, or a stub (a subtree of which only the hash is
 * known). With each goes its hash lifted to just below the branch above it (`edge`), through all the heights at which
 * nothing stands beside it. So a leaf costs two nodes of 64 bytes however far from others it is, and a path is read off
 * the branches. Nodes are counted, never changed while two trees hold them, and copied on the way down by whoever writes:
 * copying a tree is for nothing. An update goes down once, then up, height by height, all hashes of a height side by side.
 */

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "../codec/keccak.h"

#define DEPTH 40
#define PAIR (2 * DIGEST)
#define NONE (-1)

typedef struct Node {
    uint64_t key; /* the lowest one below it */
    uint32_t holders;
    uint8_t height; /* 0 of a leaf */
    uint8_t is_stub;
    union {
        PyObject *value; /* bytes; of a stub its hash */
        struct Node *children[2];
    };
    uint8_t edge[DIGEST];
} Node;

typedef struct {
    PyObject_HEAD
    Node *top;
} Nodes;

/* What a leaf, or a stub, shall be. */
typedef struct {
    uint64_t key;
    PyObject *value; /* NULL: it goes */
    uint8_t height;
    uint8_t is_stub;
    uint8_t hash[DIGEST];
} Change;

/* A node whose edge is out of date. */
typedef struct {
    Node *node;
    ptrdiff_t above;   /* place of the branch above it, NONE of the top */
    ptrdiff_t next;    /* place of the next one that waits for the same height */
    uint8_t end;       /* height of its edge */
    uint8_t waits_for; /* children of its that are out of date */
    uint8_t hash[DIGEST];
} Work;

typedef struct {
    Work *work;
    size_t count, room;
    ptrdiff_t starting[DEPTH + 2]; /* by height: leaves and stubs, whose hash is known */
    ptrdiff_t ready[DEPTH + 2];    /* by height: branches whose children are up to date */
} Update;

/* A subtree, and the place of its top among the work, NONE if nothing in it changes. */
typedef struct {
    Node *node;
    ptrdiff_t work;
} Part;

static uint8_t EMPTY[DEPTH + 1][DIGEST];
static PyObject *nothing; /* b"" */

static void *need(void *memory)
{
    if (memory == NULL)
        Py_FatalError("no memory left for the state tree"); /* half an update must never be seen */
    return memory;
}

static int count_bits(uint64_t number)
{
    int bits = 0;
    for (; number; number >>= 1)
        bits++;
    return bits;
}

/* Height of the lowest subtree that holds both keys. */
static inline int meet(uint64_t one, uint64_t other)
{
#if defined(__GNUC__)
    return one == other ? 0 : 64 - __builtin_clzll(one ^ other);
#else
    return count_bits(one ^ other);
#endif
}

static inline int bit(uint64_t key, int height)
{
    return (int)(key >> height & 1);
}

static inline int has_children(const Node *node)
{
    return node->height && !node->is_stub;
}

/* --- nodes ------------------------------------------------------------------------------------------------------- */

static Node *make_node(uint64_t key, int height)
{
    Node *node = need(PyObject_Malloc(sizeof(Node)));
    node->key = height ? key >> (height - 1) >> 1 << (height - 1) << 1 : key;
    node->holders = 1;
    node->height = (uint8_t)height;
    node->is_stub = 0;
    node->children[0] = node->children[1] = NULL;
    return node;
}

static void release(Node *node)
{
    while (node != NULL && --node->holders == 0) {
        Node *last = NULL;
        if (has_children(node)) {
            release(node->children[0]);
            last = node->children[1];
        }
        else
            Py_DECREF(node->value);
        PyObject_Free(node);
        node = last;
    }
}

/* The node itself, or in its place a copy, which nobody else holds. */
static Node *own(Node *node)
{
    Node *copy;
    if (node->holders == 1)
        return node;
    copy = need(PyObject_Malloc(sizeof(Node)));
    *copy = *node;
    copy->holders = 1;
    if (has_children(node)) {
        node->children[0]->holders++;
        node->children[1]->holders++;
    }
    else
        Py_INCREF(node->value);
    node->holders--;
    return copy;
}

static void hash_node(const Node *node, uint8_t hash[DIGEST])
{
    if (node->is_stub)
        memcpy(hash, PyBytes_AS_STRING(node->value), DIGEST);
    else if (node->height == 0)
        hash_one((uint8_t *)PyBytes_AS_STRING(node->value), (size_t)PyBytes_GET_SIZE(node->value), hash);
    else {
        uint8_t pair[PAIR];
        memcpy(pair, node->children[0]->edge, DIGEST);
        memcpy(pair + DIGEST, node->children[1]->edge, DIGEST);
        hash_one(pair, PAIR, hash);
    }
}

/* The pair of a node at `height` and nothing beside it. */
static inline void pair_with_nothing(uint8_t pair[PAIR], const uint8_t hash[DIGEST], uint64_t key, int height)
{
    const int side = bit(key, height);
    memcpy(pair + side * DIGEST, hash, DIGEST);
    memcpy(pair + !side * DIGEST, EMPTY[height], DIGEST);
}

static Node *find(const Nodes *self, uint64_t key)
{
    Node *node = self->top;
    while (node != NULL && has_children(node))
        node = node->children[bit(key, node->height - 1)];
    return node != NULL && node->key == key && !node->is_stub ? node : NULL;
}

/* --- an update: down ------------------------------------------------------------------------------------------------ */

static ptrdiff_t add_work(Update *update, Node *node, const uint8_t *hash, int waits_for)
{
    Work *work;
    ptrdiff_t *list;
    if (update->count == update->room) {
        update->room = update->room ? 2 * update->room : 64;
        update->work = need(PyMem_Realloc(update->work, update->room * sizeof(Work)));
    }
    work = update->work + update->count;
    work->node = node;
    work->above = NONE;
    work->end = DEPTH;
    work->waits_for = (uint8_t)waits_for;
    work->next = NONE;
    if (hash != NULL)
        memcpy(work->hash, hash, DIGEST);
    if (!waits_for) {
        list = (hash != NULL ? update->starting : update->ready) + node->height;
        work->next = *list;
        *list = (ptrdiff_t)update->count;
    }
    return (ptrdiff_t)update->count++;
}

/* A subtree whose edge will end at another height. */
static Part lift_again(Update *update, Part part)
{
    uint8_t hash[DIGEST];
    if (part.node == NULL || part.work != NONE)
        return part;
    part.node = own(part.node);
    if (has_children(part.node))
        part.work = add_work(update, part.node, NULL, 0);
    else {
        hash_node(part.node, hash);
        part.work = add_work(update, part.node, hash, 0);
    }
    return part;
}

/* Two subtrees below `branch`, which is nobody else's; where one is empty, the other one takes its place. */
static Part join(Update *update, Node *branch, Part left, Part right)
{
    Part part;
    if (left.node == NULL || right.node == NULL) {
        PyObject_Free(branch);
        return lift_again(update, left.node == NULL ? right : left);
    }
    branch->children[0] = left.node;
    branch->children[1] = right.node;
    part.node = branch;
    part.work = add_work(update, branch, NULL, (left.work != NONE) + (right.work != NONE));
    for (int side = 0; side < 2; side++) {
        const ptrdiff_t below = side ? right.work : left.work;
        if (below != NONE) {
            update->work[below].above = part.work;
            update->work[below].end = (uint8_t)(branch->height - 1);
        }
    }
    return part;
}

/* How many of the changes, which are sorted, are on the left of a branch of this height. */
static size_t split(const Change *changes, size_t count, int height)
{
    size_t low = 0, high = count;
    while (low < high) {
        const size_t middle = (low + high) / 2;
        if (bit(changes[middle].key, height - 1))
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

/* A subtree of these alone. */
static Part build(Update *update, const Change *changes, size_t count)
{
    const int height = meet(changes[0].key, changes[count - 1].key);
    Part part, left, right;
    size_t middle;
    if (count == 1 || height <= changes[0].height) { /* what lies in a stub is not known to it */
        part.node = make_node(changes[0].key, changes[0].height);
        part.node->is_stub = changes[0].is_stub;
        part.node->value = Py_NewRef(changes[0].value);
        part.work = add_work(update, part.node, changes[0].hash, 0);
        return part;
    }
    middle = split(changes, count, height);
    left = build(update, changes, middle);
    right = build(update, changes + middle, count - middle);
    return join(update, make_node(changes[0].key, height), left, right);
}

/* A subtree, which the caller holds, after these changes below one of its branches; none goes that is not there. */
static Part apply(Update *update, Node *node, const Change *changes, size_t count)
{
    Part parts[2], part = {node, NONE};
    uint64_t low, high;
    size_t middle;
    int height, side;
    if (count == 0)
        return part;
    if (node == NULL)
        return build(update, changes, count);
    low = node->key < changes[0].key ? node->key : changes[0].key;
    high = node->key > changes[count - 1].key ? node->key : changes[count - 1].key;
    height = meet(low, high);
    if (height > node->height) {
        middle = split(changes, count, height);
        side = bit(node->key, height - 1);
        parts[side] = side ? apply(update, node, changes + middle, count - middle) : apply(update, node, changes, middle);
        parts[side] = lift_again(update, parts[side]);
        parts[!side] = side ? apply(update, NULL, changes, middle) : apply(update, NULL, changes + middle, count - middle);
        return join(update, make_node(low, height), parts[0], parts[1]);
    }
    if (has_children(node)) {
        node = own(node);
        middle = split(changes, count, node->height);
        parts[0] = apply(update, node->children[0], changes, middle);
        parts[1] = apply(update, node->children[1], changes + middle, count - middle);
        return join(update, node, parts[0], parts[1]);
    }
    if (node->is_stub || changes[0].value == NULL) {
        release(node);
        part.node = NULL;
        return changes[0].value == NULL ? part : build(update, changes, count);
    }
    part.node = own(node);
    Py_SETREF(part.node->value, Py_NewRef(changes[0].value));
    part.work = add_work(update, part.node, changes[0].hash, 0);
    return part;
}

/* --- an update: up --------------------------------------------------------------------------------------------------- */

static void rehash(Update *update)
{
    const size_t room = update->count;
    ptrdiff_t *active = need(PyMem_Malloc(room * sizeof *active));
    uint8_t(*pairs)[PAIR] = need(PyMem_Malloc(room * sizeof *pairs));
    const uint8_t **messages = need(PyMem_Malloc(room * sizeof *messages));
    uint8_t **hashes = need(PyMem_Malloc(room * sizeof *hashes));
    size_t count = 0;
    for (int height = 0; height <= DEPTH; height++) {
        size_t kept = 0;
        for (ptrdiff_t at = update->starting[height]; at != NONE; at = update->work[at].next)
            active[count++] = at;
        for (size_t each = 0; each < count; each++) {
            Work *work = update->work + active[each];
            if (work->end != height) {
                pair_with_nothing(pairs[kept], work->hash, work->node->key, height);
                active[kept++] = active[each];
                continue;
            }
            memcpy(work->node->edge, work->hash, DIGEST);
            if (work->above != NONE && --update->work[work->above].waits_for == 0) {
                update->work[work->above].next = update->ready[height + 1];
                update->ready[height + 1] = work->above;
            }
        }
        for (ptrdiff_t at = update->ready[height + 1]; at != NONE; at = update->work[at].next) {
            const Node *node = update->work[at].node;
            memcpy(pairs[kept], node->children[0]->edge, DIGEST);
            memcpy(pairs[kept] + DIGEST, node->children[1]->edge, DIGEST);
            active[kept++] = at;
        }
        count = kept;
        for (size_t each = 0; each < count; each++) {
            messages[each] = pairs[each];
            hashes[each] = update->work[active[each]].hash;
        }
        hash_many(messages, PAIR, count, hashes);
    }
    PyMem_Free(active);
    PyMem_Free(pairs);
    PyMem_Free(messages);
    PyMem_Free(hashes);
}

static int compare_keys(const void *one, const void *other)
{
    const Change *a = one, *b = other;
    if (a->key != b->key)
        return a->key < b->key ? -1 : 1;
    return (a->height < b->height) - (a->height > b->height);
}

static int compare_lengths(const void *one, const void *other)
{
    const Py_ssize_t a = PyBytes_GET_SIZE((*(Change *const *)one)->value), b = PyBytes_GET_SIZE((*(Change *const *)other)->value);
    return (a > b) - (a < b);
}

/* The hashes of leaves, those of one length side by side. */
static void hash_leaves(Change *changes, size_t count)
{
    Change **ordered = need(PyMem_Malloc((count + 1) * sizeof *ordered));
    const uint8_t **messages = need(PyMem_Malloc((count + 1) * sizeof *messages));
    uint8_t **hashes = need(PyMem_Malloc((count + 1) * sizeof *hashes));
    size_t present = 0;
    for (size_t each = 0; each < count; each++)
        if (changes[each].value != NULL && !changes[each].is_stub)
            ordered[present++] = changes + each;
    qsort(ordered, present, sizeof *ordered, compare_lengths);
    for (size_t each = 0; each < present; each++) {
        messages[each] = (const uint8_t *)PyBytes_AS_STRING(ordered[each]->value);
        hashes[each] = ordered[each]->hash;
    }
    for (size_t first = 0, end; first < present; first = end) {
        const Py_ssize_t length = PyBytes_GET_SIZE(ordered[first]->value);
        for (end = first + 1; end < present && PyBytes_GET_SIZE(ordered[end]->value) == length; end++)
            ;
        hash_many(messages + first, (size_t)length, end - first, hashes + first);
    }
    PyMem_Free(ordered);
    PyMem_Free(messages);
    PyMem_Free(hashes);
}

/* Sorted changes, none of which leaves a leaf as it is. */
static void change(Nodes *self, Change *changes, size_t count)
{
    Update update = {0};
    if (count == 0)
        return;
    for (int height = 0; height <= DEPTH + 1; height++)
        update.starting[height] = update.ready[height] = NONE;
    hash_leaves(changes, count);
    self->top = apply(&update, self->top, changes, count).node;
    if (update.count)
        rehash(&update);
    PyMem_Free(update.work);
}

/* --- arguments ------------------------------------------------------------------------------------------------------- */

/* A key, or ValueError and -1. */
static int read_key(PyObject *number, uint64_t *key)
{
    const unsigned long long value = PyLong_Check(number) ? PyLong_AsUnsignedLongLong(number) : (unsigned long long)-1;
    if (PyErr_Occurred() && !PyErr_ExceptionMatches(PyExc_OverflowError))
        return -1;
    if (PyErr_Occurred() || value >> DEPTH) {
        PyObject *hex;
        PyErr_Clear();
        hex = PyNumber_ToBase(number, 16);
        if (hex != NULL) {
            PyErr_Format(PyExc_ValueError, "a state key has %d bits: %U", DEPTH, hex);
            Py_DECREF(hex);
        }
        return -1;
    }
    *key = value;
    return 0;
}

/* Sorted changes from a dictionary of values, with room for `more`; NULL and an error if it holds something else. The
 * values stay the dictionary's. */
static Change *read_values(PyObject *values, Py_ssize_t more, size_t *count)
{
    Change *changes;
    PyObject *number, *value;
    Py_ssize_t at = 0;
    *count = 0;
    if (!PyDict_Check(values)) {
        PyErr_SetString(PyExc_TypeError, "values by key are a dictionary");
        return NULL;
    }
    changes = PyMem_Malloc((size_t)(PyDict_GET_SIZE(values) + more + 1) * sizeof *changes);
    if (changes == NULL) {
        PyErr_NoMemory();
        return NULL;
    }
    while (PyDict_Next(values, &at, &number, &value)) {
        Change *each = changes + *count;
        if (!PyBytes_Check(value))
            PyErr_SetString(PyExc_TypeError, "the value of a leaf is bytes");
        if (!PyBytes_Check(value) || read_key(number, &each->key) < 0) {
            PyMem_Free(changes);
            return NULL;
        }
        each->value = PyBytes_GET_SIZE(value) ? value : NULL;
        each->height = each->is_stub = 0;
        ++*count;
    }
    return changes;
}

/* --- methods --------------------------------------------------------------------------------------------------------- */

static PyObject *get_root(Nodes *self, void *closure)
{
    (void)closure;
    return PyBytes_FromStringAndSize((const char *)(self->top ? self->top->edge : EMPTY[DEPTH]), DIGEST);
}

static PyObject *get(Nodes *self, PyObject *number)
{
    uint64_t key;
    const Node *node;
    if (read_key(number, &key) < 0) {
        if (!PyErr_ExceptionMatches(PyExc_ValueError))
            return NULL;
        PyErr_Clear();
        return Py_NewRef(nothing);
    }
    node = find(self, key);
    return Py_NewRef(node ? node->value : nothing);
}

static PyObject *update(Nodes *self, PyObject *values)
{
    size_t count, dirty = 0;
    PyObject *held = PyDict_CheckExact(values) ? Py_NewRef(values) : PyObject_CallOneArg((PyObject *)&PyDict_Type, values);
    Change *changes = held ? read_values(held, 0, &count) : NULL;
    if (changes == NULL) {
        Py_XDECREF(held);
        return NULL;
    }
    for (size_t each = 0; each < count; each++) {
        const Node *node = find(self, changes[each].key);
        PyObject *before = node ? node->value : NULL, *after = changes[each].value;
        if (before == after)
            continue;
        if (before != NULL && after != NULL && PyBytes_GET_SIZE(before) == PyBytes_GET_SIZE(after) &&
            memcmp(PyBytes_AS_STRING(before), PyBytes_AS_STRING(after), (size_t)PyBytes_GET_SIZE(after)) == 0)
            continue;
        changes[dirty++] = changes[each];
    }
    qsort(changes, dirty, sizeof *changes, compare_keys);
    change(self, changes, dirty);
    PyMem_Free(changes);
    Py_DECREF(held);
    return get_root(self, NULL);
}

static PyObject *path(Nodes *self, PyObject *number)
{
    uint64_t key, bitmap = 0;
    uint8_t hashes[DEPTH][DIGEST];
    const Node *node = self->top;
    PyObject *siblings;
    Py_ssize_t place = 0;
    if (read_key(number, &key) < 0)
        return NULL;
    while (node != NULL) {
        const int height = meet(key, node->key);
        if (height > node->height) { /* it stands beside the path */
            uint8_t pair[PAIR];
            hash_node(node, hashes[height - 1]);
            for (int at = node->height; at < height - 1; at++) {
                pair_with_nothing(pair, hashes[height - 1], node->key, at);
                hash_one(pair, PAIR, hashes[height - 1]);
            }
            bitmap |= (uint64_t)1 << (height - 1);
            break;
        }
        if (!has_children(node))
            break;
        bitmap |= (uint64_t)1 << (node->height - 1);
        memcpy(hashes[node->height - 1], node->children[!bit(key, node->height - 1)]->edge, DIGEST);
        node = node->children[bit(key, node->height - 1)];
    }
    siblings = PyTuple_New(__builtin_popcountll(bitmap));
    for (int height = 0; siblings != NULL && height < DEPTH; height++) {
        if (bit(bitmap, height)) {
            PyObject *hash = PyBytes_FromStringAndSize((char *)hashes[height], DIGEST);
            if (hash == NULL)
                Py_CLEAR(siblings);
            else
                PyTuple_SET_ITEM(siblings, place++, hash);
        }
    }
    return siblings ? Py_BuildValue("KN", (unsigned long long)bitmap, siblings) : NULL;
}

/* All leaves, or all stubs, below a node, in the order of their keys, at the end of a list. */
static int collect(const Node *node, int is_stub, PyObject *list)
{
    PyObject *pair;
    uint64_t number;
    int failed;
    if (node == NULL)
        return 0;
    if (has_children(node))
        return collect(node->children[0], is_stub, list) < 0 ? -1 : collect(node->children[1], is_stub, list);
    if (node->is_stub != is_stub)
        return 0;
    number = is_stub ? ((uint64_t)1 << DEPTH | node->key) >> node->height : node->key;
    pair = Py_BuildValue("KO", (unsigned long long)number, node->value);
    failed = pair == NULL || PyList_Append(list, pair) < 0;
    Py_XDECREF(pair);
    return failed ? -1 : 0;
}

/* Leaves below a node from a key on, at most `left` of them, in the order of their keys, at the end of a list. */
static int collect_from(const Node *node, uint64_t first, Py_ssize_t *left, PyObject *list)
{
    PyObject *pair;
    int failed;
    if (node == NULL || *left == 0 || node->key + ((uint64_t)1 << node->height) <= first)
        return 0;
    if (has_children(node))
        return collect_from(node->children[0], first, left, list) < 0
                   ? -1
                   : collect_from(node->children[1], first, left, list);
    if (node->is_stub)
        return 0;
    pair = Py_BuildValue("KO", (unsigned long long)node->key, node->value);
    failed = pair == NULL || PyList_Append(list, pair) < 0;
    Py_XDECREF(pair);
    --*left;
    return failed ? -1 : 0;
}

static PyObject *part(Nodes *self, PyObject *arguments)
{
    PyObject *number, *list;
    Py_ssize_t left;
    uint64_t first;
    if (!PyArg_ParseTuple(arguments, "On", &number, &left) || read_key(number, &first) < 0)
        return NULL;
    list = PyList_New(0);
    if (left < 0)
        left = 0;
    if (list != NULL && collect_from(self->top, first, &left, list) < 0)
        Py_CLEAR(list);
    return list;
}

static PyObject *list_nodes(Nodes *self, int is_stub)
{
    PyObject *list = PyList_New(0);
    if (list != NULL && collect(self->top, is_stub, list) < 0)
        Py_CLEAR(list);
    return list;
}

static PyObject *items(Nodes *self, PyObject *unused)
{
    PyObject *list = list_nodes(self, 0), *iterator = list ? PyObject_GetIter(list) : NULL;
    (void)unused;
    Py_XDECREF(list);
    return iterator;
}

static PyObject *make(PyTypeObject *type, PyObject *arguments, PyObject *keywords)
{
    (void)arguments;
    (void)keywords;
    return type->tp_alloc(type, 0);
}

static PyObject *copy(Nodes *self, PyObject *unused)
{
    Nodes *twin = (Nodes *)make(Py_TYPE(self), NULL, NULL);
    (void)unused;
    if (twin != NULL && self->top != NULL) {
        twin->top = self->top;
        self->top->holders++;
    }
    return (PyObject *)twin;
}

static PyObject *of_cut(PyTypeObject *type, PyObject *const *arguments, Py_ssize_t arguments_count)
{
    Nodes *self;
    Change *changes;
    PyObject *number, *value;
    Py_ssize_t at = 0;
    size_t count, present = 0;
    if (arguments_count != 2 || !PyDict_Check(arguments[1])) {
        PyErr_SetString(PyExc_TypeError, "a cut is two dictionaries: values by key, hashes by heap number");
        return NULL;
    }
    changes = read_values(arguments[0], PyDict_GET_SIZE(arguments[1]), &count);
    if (changes == NULL)
        return NULL;
    for (size_t each = 0; each < count; each++)
        if (changes[each].value != NULL)
            changes[present++] = changes[each];
    while (PyDict_Next(arguments[1], &at, &number, &value)) {
        const unsigned long long heap = PyLong_Check(number) ? PyLong_AsUnsignedLongLong(number) : 0;
        Change *each = changes + present++;
        if (PyErr_Occurred() || heap < 1 || heap >> (DEPTH + 1) || !PyBytes_Check(value) || PyBytes_GET_SIZE(value) != DIGEST) {
            PyMem_Free(changes);
            PyErr_SetString(PyExc_ValueError, "what is beside a cut is hashes by heap number");
            return NULL;
        }
        each->height = (uint8_t)(DEPTH + 1 - count_bits(heap));
        each->key = ((uint64_t)heap << each->height) & (((uint64_t)1 << DEPTH) - 1);
        each->value = value;
        each->is_stub = 1;
        memcpy(each->hash, PyBytes_AS_STRING(value), DIGEST);
    }
    self = (Nodes *)make(type, NULL, NULL);
    if (self != NULL) {
        qsort(changes, present, sizeof *changes, compare_keys);
        change(self, changes, present);
    }
    PyMem_Free(changes);
    return (PyObject *)self;
}

static PyObject *reduce(Nodes *self, PyObject *unused)
{
    PyObject *parts[2], *made, *result = NULL;
    (void)unused;
    for (int is_stub = 0; is_stub < 2; is_stub++) {
        PyObject *list = list_nodes(self, is_stub);
        parts[is_stub] = list ? PyObject_CallOneArg((PyObject *)&PyDict_Type, list) : NULL;
        Py_XDECREF(list);
    }
    made = PyObject_GetAttrString((PyObject *)Py_TYPE(self), "of_cut");
    if (parts[0] != NULL && parts[1] != NULL && made != NULL)
        result = Py_BuildValue("O(OO)", made, parts[0], parts[1]);
    Py_XDECREF(parts[0]);
    Py_XDECREF(parts[1]);
    Py_XDECREF(made);
    return result;
}

static void deallocate(Nodes *self)
{
    PyTypeObject *type = Py_TYPE(self);
    release(self->top);
    type->tp_free((PyObject *)self);
}

static PyObject *check_key(PyObject *module, PyObject *number)
{
    uint64_t key;
    (void)module;
    if (read_key(number, &key) < 0)
        return NULL;
    Py_RETURN_NONE;
}

static PyMethodDef functions[] = {
    {"check_key", check_key, METH_O, "Raises ValueError unless 0 <= key < 2^40."},
    {NULL, NULL, 0, NULL},
};

static PyMethodDef methods[] = {
    {"get", (PyCFunction)get, METH_O, "The value of `key`, b\"\" if absent."},
    {"update", (PyCFunction)update, METH_O, "Set every key to its value, all at once; returns the new root."},
    {"path", (PyCFunction)path, METH_O, "Bitmap and siblings of `key`."},
    {"items", (PyCFunction)items, METH_NOARGS, "All present leaves."},
    {"part", (PyCFunction)part, METH_VARARGS, "Present leaves from a key on, at most so many, keys ascending."},
    {"copy", (PyCFunction)copy, METH_NOARGS, "An independent tree with the same leaves."},
    {"of_cut", (PyCFunction)(void (*)(void))of_cut, METH_FASTCALL | METH_CLASS, "The part of a tree that holds some keys."},
    {"__reduce__", (PyCFunction)reduce, METH_NOARGS, "For `pickle`."},
    {NULL, NULL, 0, NULL},
};

static PyGetSetDef properties[] = {
    {"root", (getter)get_root, NULL, "The 32-byte Merkle root.", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyTypeObject NodesType = {
    PyVarObject_HEAD_INIT(NULL, 0)
    .tp_name = "setoff.shared.state.nodes.Nodes",
    .tp_doc = "Values under 40-bit keys, with a Merkle root over all of them.",
    .tp_basicsize = sizeof(Nodes),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,
    .tp_new = make,
    .tp_dealloc = (destructor)deallocate,
    .tp_methods = methods,
    .tp_getset = properties,
};

static struct PyModuleDef definition = {PyModuleDef_HEAD_INIT, "nodes", NULL, -1, functions, NULL, NULL, NULL, NULL};

PyMODINIT_FUNC PyInit_nodes(void)
{
    PyObject *module, *empty;
    choose_keccak(MAX_WIDTH);
    hash_one((const uint8_t *)"", 0, EMPTY[0]);
    for (int height = 0; height < DEPTH; height++) {
        uint8_t pair[PAIR];
        pair_with_nothing(pair, EMPTY[height], 0, height);
        hash_one(pair, PAIR, EMPTY[height + 1]);
    }
    nothing = PyBytes_FromStringAndSize(NULL, 0);
    if (nothing == NULL || PyType_Ready(&NodesType) < 0 || (module = PyModule_Create(&definition)) == NULL)
        return NULL;
    empty = PyTuple_New(DEPTH + 1);
    for (int height = 0; empty != NULL && height <= DEPTH; height++) {
        PyObject *hash = PyBytes_FromStringAndSize((char *)EMPTY[height], DIGEST);
        if (hash == NULL)
            Py_CLEAR(empty);
        else
            PyTuple_SET_ITEM(empty, height, hash);
    }
    if (empty == NULL || PyModule_AddObjectRef(module, "Nodes", (PyObject *)&NodesType) < 0 ||
        PyModule_AddObjectRef(module, "EMPTY", empty) < 0 || PyModule_AddIntMacro(module, DEPTH) < 0) {
        Py_XDECREF(empty);
        Py_DECREF(module);
        return NULL;
    }
    Py_DECREF(empty);
    return module;
}
