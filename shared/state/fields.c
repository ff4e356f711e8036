/* What reads and writes the fields of a class's objects. Twin of fields.py, where modules are compiled; the functions say
 * there what they do.
 *
 * Attributes of compiled classes have a function of C for either way, which is called without looking it up again; those
 * of others go by name.
 */

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define WIDEST 64 /* bytes of a number */

/* An attribute of a class. */
typedef struct {
    PyObject *name;
    PyObject *descriptor; /* what its functions belong to; NULL if it goes by name */
    getter read;
    setter write;
    void *closure;
} Attribute;

/* A field: an attribute with a place. */
typedef struct {
    Attribute attribute;
    Py_ssize_t start, size;
    int is_bytes, is_signed;
    PyObject *zero;
} Field;

typedef struct {
    PyObject_HEAD
    PyTypeObject *leaf;
    Py_ssize_t size, count;
    Field *fields;
} Codec;

typedef struct {
    PyObject_HEAD
    PyTypeObject *leaf;
    vectorcallfunc call;
    Py_ssize_t count;
    Attribute *attributes;
} Getter;

static PyObject *from_bytes, *to_bytes, *big, *signed_name;

/* --- attributes ------------------------------------------------------------------------------------------------------ */

static int find_attribute(PyTypeObject *leaf, PyObject *name, Attribute *attribute)
{
    PyObject *descriptor = PyObject_GetAttr((PyObject *)leaf, name);
    attribute->name = Py_NewRef(name);
    if (descriptor == NULL) { /* only objects have it */
        if (!PyErr_ExceptionMatches(PyExc_AttributeError))
            return -1;
        PyErr_Clear();
        return 0;
    }
    if (Py_TYPE(descriptor) == &PyGetSetDescr_Type) {
        const PyGetSetDef *functions = ((PyGetSetDescrObject *)descriptor)->d_getset;
        if (functions->get != NULL && functions->set != NULL && PyType_IsSubtype(leaf, PyDescr_TYPE(descriptor))) {
            attribute->read = functions->get;
            attribute->write = functions->set;
            attribute->closure = functions->closure;
            attribute->descriptor = descriptor;
            return 0;
        }
    }
    Py_DECREF(descriptor);
    return 0;
}

static void forget_attribute(Attribute *attribute)
{
    Py_XDECREF(attribute->name);
    Py_XDECREF(attribute->descriptor);
}

static inline PyObject *read_attribute(const Attribute *attribute, PyObject *leaf)
{
    return attribute->read ? attribute->read(leaf, attribute->closure) : PyObject_GetAttr(leaf, attribute->name);
}

static inline int write_attribute(const Attribute *attribute, PyObject *leaf, PyObject *value)
{
    return attribute->write ? attribute->write(leaf, value, attribute->closure) : PyObject_SetAttr(leaf, attribute->name, value);
}

/* Functions of C may be called for objects of their class alone. */
static int check_leaf(PyTypeObject *type, PyObject *leaf)
{
    if (PyObject_TypeCheck(leaf, type))
        return 0;
    PyErr_Format(PyExc_TypeError, "%s is wanted, not %s", type->tp_name, Py_TYPE(leaf)->tp_name);
    return -1;
}

/* --- numbers --------------------------------------------------------------------------------------------------------- */

static PyObject *call_for_number(PyObject *function, PyObject *first, PyObject *second, int is_signed)
{
    PyObject *arguments[4] = {first, second, big, is_signed ? Py_True : Py_False};
    PyObject *names = PyTuple_Pack(1, signed_name), *result;
    if (names == NULL)
        return NULL;
    if (second == NULL) { /* from_bytes(first, "big", signed=…) */
        arguments[1] = big;
        arguments[2] = arguments[3];
        result = PyObject_Vectorcall(function, arguments, 2, names);
    }
    else
        result = PyObject_Vectorcall(function, arguments, 3, names);
    Py_DECREF(names);
    return result;
}

static PyObject *read_number(const uint8_t *bytes, Py_ssize_t size, int is_signed)
{
    const uint8_t fill = is_signed && bytes[0] & 0x80 ? 0xFF : 0;
    uint64_t word = 0;
    Py_ssize_t at = 0;
    for (; size - at > 8; at++)
        if (bytes[at] != fill)
            break;
    if (size - at > 8 || (fill == 0xFF && size - at == 8 && !(bytes[at] & 0x80)) ||
        (is_signed && fill == 0 && size - at == 8 && bytes[at] & 0x80)) {
        PyObject *raw = PyBytes_FromStringAndSize((const char *)bytes, size), *number;
        number = raw ? call_for_number(from_bytes, raw, NULL, is_signed) : NULL;
        Py_XDECREF(raw);
        return number;
    }
    if (fill)
        word = ~(uint64_t)0;
    for (; at < size; at++)
        word = word << 8 | bytes[at];
    return is_signed ? PyLong_FromLongLong((int64_t)word) : PyLong_FromUnsignedLongLong(word);
}

static int write_number(uint8_t *bytes, Py_ssize_t size, int is_signed, PyObject *number)
{
    int overflow;
    long long value;
    uint64_t word;
    if (!PyLong_Check(number)) {
        PyErr_Format(PyExc_TypeError, "a number is wanted, not %s", Py_TYPE(number)->tp_name);
        return -1;
    }
    value = PyLong_AsLongLongAndOverflow(number, &overflow);
    if (overflow) {
        PyObject *length = PyLong_FromSsize_t(size), *raw = length ? call_for_number(to_bytes, number, length, is_signed) : NULL;
        Py_XDECREF(length);
        if (raw == NULL)
            return -1;
        memcpy(bytes, PyBytes_AS_STRING(raw), (size_t)size);
        Py_DECREF(raw);
        return 0;
    }
    if ((!is_signed && value < 0) || (size < 8 && is_signed && (value >> (8 * size - 1) != 0 && value >> (8 * size - 1) != -1)) ||
        (size < 8 && !is_signed && value >> (8 * size))) {
        PyErr_Format(PyExc_OverflowError, "%R does not fit into %zd bytes", number, size);
        return -1;
    }
    word = (uint64_t)value;
    for (Py_ssize_t at = size - 1; at >= 0; at--) {
        bytes[at] = (uint8_t)word;
        word = size - at < 8 ? word >> 8 : value < 0 ? ~(uint64_t)0 : 0;
    }
    return 0;
}

/* --- a codec --------------------------------------------------------------------------------------------------------- */

static int write_fields(const Codec *self, PyObject *leaf, uint8_t *bytes)
{
    memset(bytes, 0, (size_t)self->size);
    for (const Field *field = self->fields; field < self->fields + self->count; field++) {
        PyObject *value = read_attribute(&field->attribute, leaf);
        int failed = value == NULL;
        if (!failed && !field->is_bytes)
            failed = value != field->zero && write_number(bytes + field->start, field->size, field->is_signed, value) < 0;
        else if (!failed && PyBytes_Check(value)) {
            const Py_ssize_t length = PyBytes_GET_SIZE(value);
            memcpy(bytes + field->start, PyBytes_AS_STRING(value), (size_t)(length < field->size ? length : field->size));
        }
        else if (!failed) {
            PyErr_Format(PyExc_TypeError, "bytes are wanted, not %s", Py_TYPE(value)->tp_name);
            failed = 1;
        }
        Py_XDECREF(value);
        if (failed)
            return -1;
    }
    return 0;
}

static int read_fields(const Codec *self, PyObject *leaf, const uint8_t *bytes)
{
    for (const Field *field = self->fields; field < self->fields + self->count; field++) {
        PyObject *value;
        int failed;
        if (field->is_bytes)
            value = PyBytes_FromStringAndSize((const char *)bytes + field->start, field->size);
        else
            value = read_number(bytes + field->start, field->size, field->is_signed);
        failed = value == NULL || write_attribute(&field->attribute, leaf, value) < 0;
        Py_XDECREF(value);
        if (failed)
            return -1;
    }
    return 0;
}

static int clear_fields(const Codec *self, PyObject *leaf)
{
    for (const Field *field = self->fields; field < self->fields + self->count; field++)
        if (write_attribute(&field->attribute, leaf, field->zero) < 0)
            return -1;
    return 0;
}

static PyObject *make_leaf(const Codec *self)
{
    PyObject *nothing = PyTuple_New(0), *leaf;
    if (nothing == NULL)
        return NULL;
    leaf = self->leaf->tp_new(self->leaf, nothing, NULL);
    Py_DECREF(nothing);
    return leaf;
}

static PyObject *pack(Codec *self, PyObject *leaf)
{
    PyObject *value;
    if (check_leaf(self->leaf, leaf) < 0)
        return NULL;
    value = PyBytes_FromStringAndSize(NULL, self->size);
    if (value != NULL && write_fields(self, leaf, (uint8_t *)PyBytes_AS_STRING(value)) < 0)
        Py_CLEAR(value);
    return value;
}

static PyObject *encode(Codec *self, PyObject *leaf)
{
    PyObject *value = pack(self, leaf);
    if (value != NULL) {
        const char *bytes = PyBytes_AS_STRING(value);
        Py_ssize_t at = 0;
        while (at < self->size && bytes[at] == 0)
            at++;
        if (at == self->size) {
            Py_DECREF(value);
            return PyBytes_FromStringAndSize(NULL, 0);
        }
    }
    return value;
}

static int check_value(const Codec *self, PyObject *value)
{
    if (!PyBytes_Check(value)) {
        PyErr_Format(PyExc_TypeError, "bytes are wanted, not %s", Py_TYPE(value)->tp_name);
        return -1;
    }
    if (PyBytes_GET_SIZE(value) != self->size) {
        PyErr_Format(PyExc_ValueError, "%s has %zd bytes, not %zd", self->leaf->tp_name, self->size, PyBytes_GET_SIZE(value));
        return -1;
    }
    return 0;
}

static PyObject *fill(Codec *self, PyObject *const *arguments, Py_ssize_t count)
{
    if (count != 2)
        return PyErr_Format(PyExc_TypeError, "fill takes a leaf and its bytes");
    if (check_leaf(self->leaf, arguments[0]) < 0 || check_value(self, arguments[1]) < 0 ||
        read_fields(self, arguments[0], (const uint8_t *)PyBytes_AS_STRING(arguments[1])) < 0)
        return NULL;
    return Py_NewRef(arguments[0]);
}

static PyObject *decode(Codec *self, PyObject *value)
{
    const int is_absent = PyBytes_Check(value) && PyBytes_GET_SIZE(value) == 0;
    PyObject *leaf;
    if (!is_absent && check_value(self, value) < 0)
        return NULL;
    leaf = make_leaf(self);
    if (leaf != NULL &&
        (is_absent ? clear_fields(self, leaf) : read_fields(self, leaf, (const uint8_t *)PyBytes_AS_STRING(value))) < 0)
        Py_CLEAR(leaf);
    return leaf;
}

static PyObject *copy(Codec *self, PyObject *leaf)
{
    PyObject *twin = check_leaf(self->leaf, leaf) < 0 ? NULL : make_leaf(self);
    for (const Field *field = self->fields; twin != NULL && field < self->fields + self->count; field++) {
        PyObject *value = read_attribute(&field->attribute, leaf);
        if (value == NULL || write_attribute(&field->attribute, twin, value) < 0)
            Py_CLEAR(twin);
        Py_XDECREF(value);
    }
    return twin;
}

static PyObject *clear(Codec *self, PyObject *leaf)
{
    if (check_leaf(self->leaf, leaf) < 0 || clear_fields(self, leaf) < 0)
        return NULL;
    Py_RETURN_NONE;
}

/* --- making one ------------------------------------------------------------------------------------------------------ */

static int read_size(PyObject *object, const char *name, Py_ssize_t *number)
{
    PyObject *value = PyObject_GetAttrString(object, name);
    *number = value ? PyLong_AsSsize_t(value) : -1;
    Py_XDECREF(value);
    return PyErr_Occurred() ? -1 : 0;
}

static int read_flag(PyObject *object, const char *name, int *flag)
{
    PyObject *value = PyObject_GetAttrString(object, name);
    *flag = value ? PyObject_IsTrue(value) : -1;
    Py_XDECREF(value);
    return *flag < 0 ? -1 : 0;
}

static int read_field(Codec *self, PyObject *given, Field *field)
{
    PyObject *name = PyObject_GetAttrString(given, "name");
    const int failed = name == NULL || find_attribute(self->leaf, name, &field->attribute) < 0 ||
                       read_size(given, "start", &field->start) < 0 || read_size(given, "size", &field->size) < 0 ||
                       read_flag(given, "is_bytes", &field->is_bytes) < 0 || read_flag(given, "is_signed", &field->is_signed) < 0;
    Py_XDECREF(name);
    if (failed)
        return -1;
    if (field->start < 0 || field->size < 1 || field->start > self->size - field->size ||
        (!field->is_bytes && field->size > WIDEST)) {
        PyErr_Format(PyExc_ValueError, "%U does not fit", field->attribute.name);
        return -1;
    }
    field->zero = field->is_bytes ? PyBytes_FromStringAndSize(NULL, field->size) : PyLong_FromLong(0);
    if (field->zero != NULL && field->is_bytes)
        memset(PyBytes_AS_STRING(field->zero), 0, (size_t)field->size);
    return field->zero ? 0 : -1;
}

static PyObject *make(PyTypeObject *type, PyObject *arguments, PyObject *keywords)
{
    PyObject *leaf, *fields;
    Py_ssize_t size, count;
    Codec *self;
    if (keywords != NULL && PyDict_GET_SIZE(keywords)) {
        PyErr_SetString(PyExc_TypeError, "Codec takes no keywords");
        return NULL;
    }
    if (!PyArg_ParseTuple(arguments, "O!nO", &PyType_Type, &leaf, &size, &fields))
        return NULL;
    if (size < 0) {
        PyErr_SetString(PyExc_ValueError, "a size is not negative");
        return NULL;
    }
    fields = PySequence_Tuple(fields);
    self = fields ? (Codec *)type->tp_alloc(type, 0) : NULL;
    if (self == NULL) {
        Py_XDECREF(fields);
        return NULL;
    }
    self->leaf = (PyTypeObject *)Py_NewRef(leaf);
    self->size = size;
    count = PyTuple_GET_SIZE(fields);
    self->fields = PyMem_Calloc((size_t)count + 1, sizeof *self->fields);
    if (self->fields == NULL)
        PyErr_NoMemory();
    while (!PyErr_Occurred() && self->count < count) {
        const Py_ssize_t place = self->count++;
        read_field(self, PyTuple_GET_ITEM(fields, place), self->fields + place);
    }
    Py_DECREF(fields);
    if (PyErr_Occurred())
        Py_CLEAR(self);
    return (PyObject *)self;
}

static void deallocate(Codec *self)
{
    for (Py_ssize_t place = 0; place < self->count; place++) {
        forget_attribute(&self->fields[place].attribute);
        Py_XDECREF(self->fields[place].zero);
    }
    PyMem_Free(self->fields);
    Py_XDECREF(self->leaf);
    Py_TYPE(self)->tp_free((PyObject *)self);
}

/* `Codec[Leaf]` is the class itself. */
static PyObject *get_item(PyObject *type, PyObject *unused)
{
    (void)unused;
    return Py_NewRef(type);
}

static PyMethodDef methods[] = {
    {"pack", (PyCFunction)pack, METH_O, "The bytes, also of a leaf that is all zero."},
    {"encode", (PyCFunction)encode, METH_O, "The bytes, or b\"\" for a leaf that is all zero."},
    {"fill", (PyCFunction)(void (*)(void))fill, METH_FASTCALL, "Sets the fields of a leaf to what bytes say; returns it."},
    {"decode", (PyCFunction)decode, METH_O, "The inverse of `encode`."},
    {"copy", (PyCFunction)copy, METH_O, "An independent copy."},
    {"clear", (PyCFunction)clear, METH_O, "Makes every field zero."},
    {"__class_getitem__", get_item, METH_O | METH_CLASS, NULL},
    {NULL, NULL, 0, NULL},
};

static PyTypeObject CodecType = {
    PyVarObject_HEAD_INIT(NULL, 0)
    .tp_name = "setoff.shared.state.fields.Codec",
    .tp_doc = "The fields of a class, in bytes.",
    .tp_basicsize = sizeof(Codec),
    .tp_flags = Py_TPFLAGS_DEFAULT,
    .tp_new = make,
    .tp_dealloc = (destructor)deallocate,
    .tp_methods = methods,
};

/* --- a getter -------------------------------------------------------------------------------------------------------- */

static PyObject *get_all(PyObject *object, PyObject *const *arguments, size_t flags, PyObject *keywords)
{
    const Getter *self = (Getter *)object;
    PyObject *values;
    if (PyVectorcall_NARGS(flags) != 1 || keywords != NULL)
        return PyErr_Format(PyExc_TypeError, "a getter takes a leaf");
    if (check_leaf(self->leaf, arguments[0]) < 0)
        return NULL;
    values = PyTuple_New(self->count);
    for (Py_ssize_t place = 0; values != NULL && place < self->count; place++) {
        PyObject *value = read_attribute(self->attributes + place, arguments[0]);
        if (value == NULL)
            Py_CLEAR(values);
        else
            PyTuple_SET_ITEM(values, place, value);
    }
    return values;
}

static void deallocate_getter(Getter *self)
{
    for (Py_ssize_t place = 0; place < self->count; place++)
        forget_attribute(self->attributes + place);
    PyMem_Free(self->attributes);
    Py_XDECREF(self->leaf);
    Py_TYPE(self)->tp_free((PyObject *)self);
}

static PyTypeObject GetterType = {
    PyVarObject_HEAD_INIT(NULL, 0)
    .tp_name = "setoff.shared.state.fields._Getter",
    .tp_basicsize = sizeof(Getter),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_VECTORCALL,
    .tp_vectorcall_offset = offsetof(Getter, call),
    .tp_call = PyVectorcall_Call,
    .tp_dealloc = (destructor)deallocate_getter,
};

static PyObject *make_getter(PyObject *module, PyObject *const *arguments, Py_ssize_t count)
{
    PyObject *names;
    Getter *self;
    (void)module;
    if (count != 2 || !PyType_Check(arguments[0]))
        return PyErr_Format(PyExc_TypeError, "make_getter takes a class and names");
    names = PySequence_Tuple(arguments[1]);
    self = names ? (Getter *)GetterType.tp_alloc(&GetterType, 0) : NULL;
    if (self == NULL) {
        Py_XDECREF(names);
        return NULL;
    }
    self->leaf = (PyTypeObject *)Py_NewRef(arguments[0]);
    self->call = get_all;
    self->attributes = PyMem_Calloc((size_t)PyTuple_GET_SIZE(names) + 1, sizeof *self->attributes);
    if (self->attributes == NULL)
        PyErr_NoMemory();
    while (!PyErr_Occurred() && self->count < PyTuple_GET_SIZE(names)) {
        const Py_ssize_t place = self->count++;
        find_attribute(self->leaf, PyTuple_GET_ITEM(names, place), self->attributes + place);
    }
    Py_DECREF(names);
    if (PyErr_Occurred())
        Py_CLEAR(self);
    return (PyObject *)self;
}

static PyMethodDef functions[] = {
    {"make_getter", (PyCFunction)(void (*)(void))make_getter, METH_FASTCALL, "What reads attributes, as a tuple."},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef definition = {PyModuleDef_HEAD_INIT, "fields", NULL, -1, functions, NULL, NULL, NULL, NULL};

PyMODINIT_FUNC PyInit_fields(void)
{
    PyObject *module, *one = PyLong_FromLong(1);
    from_bytes = one ? PyObject_GetAttrString((PyObject *)&PyLong_Type, "from_bytes") : NULL;
    to_bytes = one ? PyObject_GetAttrString((PyObject *)&PyLong_Type, "to_bytes") : NULL;
    big = PyUnicode_InternFromString("big");
    signed_name = PyUnicode_InternFromString("signed");
    Py_XDECREF(one);
    if (from_bytes == NULL || to_bytes == NULL || big == NULL || signed_name == NULL || PyType_Ready(&CodecType) < 0 ||
        PyType_Ready(&GetterType) < 0 || (module = PyModule_Create(&definition)) == NULL)
        return NULL;
    if (PyModule_AddObjectRef(module, "Codec", (PyObject *)&CodecType) < 0) {
        Py_DECREF(module);
        return NULL;
    }
    return module;
}
