#!/usr/bin/env python3
"""Puts the calls of autoshare into CRuby's source: edits.py SOURCE EDITED.

SOURCE is left as it is; EDITED is a copy of it, in which files that come out as they were keep their
date. Each edit names a file, a regular expression that must match there exactly as often as said, and
what to put in its place (`\\g<0>` stands for what matched). An edit that does not find its place stops
everything: the version is then one that nobody has looked at yet.
"""

import pathlib
import re
import shutil
import sys

HOOKS = pathlib.Path(__file__).resolve().parent / "hooks"


class Edits:
    """The edits of one source tree."""

    def __init__(self, source, edited):
        self.source = pathlib.Path(source)
        self.edited = pathlib.Path(edited)
        self.texts = {}

    def text(self, name):
        """A file as it is by now."""
        if name not in self.texts:
            self.texts[name] = (self.source / name).read_text()
        return self.texts[name]

    def edit(self, name, pattern, replacement, count=1):
        """Replaces `pattern`, which stands `count` times in the file."""
        text, found = re.subn(pattern, replacement, self.text(name), flags=re.MULTILINE)
        if found != count:
            sys.exit(f"{name}: found {found} times, not {count}: {pattern}")
        self.texts[name] = text

    def write(self):
        """Writes what has changed."""
        if not self.edited.exists():
            shutil.copytree(self.source, self.edited, symlinks=True)
        changed = []
        for name, text in self.texts.items():
            path = self.edited / name
            if not path.exists() or path.read_text() != text:
                path.write_text(text)
                changed.append(path.name)
        self.touch_users(changed)

    def touch_users(self, changed):
        """CRuby's makefile does not know of our headers: what includes one counts as changed too."""
        for header in changed:
            for name, text in self.texts.items():
                path = self.edited / name
                if path.name not in changed and re.search(rf'#include "(ruby/)?{re.escape(header)}"', text):
                    path.touch()
                    changed.append(path.name)

    def include(self, name, after='#include "ruby/internal/config.h"'):
        """Has a file of CRuby know the calls."""
        self.edit(name, f"^{re.escape(after)}.*$", '\\g<0>\n#include "autoshare_core.h"')

    def append(self, name, hook):
        """Includes a file of ours at the end of one of CRuby's, for what only that one knows."""
        self.texts[name] = self.text(name) + f'\n#include "{hook}"\n'

    def copy_hooks(self):
        """Our files stand among CRuby's."""
        for path in HOOKS.iterdir():
            folder = "include/ruby" if path.name == "autoshare.h" else "."
            self.texts[f"{folder}/{path.name}"] = path.read_text()


def build(edits):
    """Our objects are part of the interpreter."""
    objects = "autoshare autoshare_children autoshare_errors autoshare_host autoshare_places autoshare_ruby autoshare_texts".split()
    lines = "".join(f" \\\\\n\t\t{name}.$(OBJEXT)" for name in objects)
    edits.edit("common.mk", r"^COMMONOBJS\s*= array\.\$\(OBJEXT\)", "\\g<0>" + lines)
    edits.edit("inits.c", r"^    CALL\(Ractor\);", "\\g<0>\n    CALL(autoshare);")


def writes(edits):
    """Every test for frozen objects that decides over a write asks for auto-shareable ones too."""
    error = "include/ruby/internal/intern/error.h"
    edits.edit(error, r"RB_OBJ_FROZEN\((frozen_)?obj\)", r"rb_autoshare_must_check(\1obj)", 2)
    edits.edit(
        error, r"rb_error_frozen_object\((frozen_)?obj\);", r"rb_autoshare_check_frozen(\1obj);", 2
    )
    edits.edit(error, r'^#include "ruby/internal/fl_type\.h".*$', '\\g<0>\n#include "ruby/autoshare.h"')
    edits.edit("error.c", r"^    rb_exc_raise\(exc\);\n(?=\}\n\n(static VALUE\ninspect_frozen|#undef rb_check_frozen))",
               "    rb_autoshare_annotate(exc, frozen_obj);\n\\g<0>", 2)
    # A class's own check: defining methods on an object's singleton class changes the object.
    edits.edit("eval.c", r"^    if \(OBJ_FROZEN\(klass\)\) \{\n        const char \*desc;",
               "    rb_autoshare_modify_singleton(klass);\n\\g<0>")
    # A warm inline cache of an instance variable compares the shape alone.
    edits.edit("vm_insnhelper.c", r"if \((LIKELY\()?shape_id == dest_shape_id(\)?)\) \{",
               r"if (\1shape_id == dest_shape_id && !rb_autoshare_must_check_heap(obj)\2) {", 2)
    edits.edit("vm_insnhelper.c", r"else if \(dest_shape_id != INVALID_SHAPE_ID\) \{",
               "else if (dest_shape_id != INVALID_SHAPE_ID && !rb_autoshare_must_check_heap(obj)) {", 2)
    # A string that becomes a key gives back what it does not use of its buffer: no write, no need.
    edits.edit("string.c", r"FL_TEST_RAW\(str, FL_FREEZE \| STR_NOFREE\)",
               "FL_TEST_RAW(str, FL_FREEZE | STR_NOFREE | RUBY_FL_AUTOSHARE)")
    # Ractor#send(object, move: true) takes an object out of the hands of main.
    edits.edit("ractor.c", r"^        data->replacement = rb_obj_alloc\(RBASIC_CLASS\(obj\)\);",
               "        rb_autoshare_move(obj);\n\\g<0>")


def extensions(edits):
    """Tests of extensions and libraries for frozen objects that decide over a write."""
    edits.edit("ext/stringio/stringio.c", r"^    if \(OBJ_FROZEN\(ptr->string\)\) \{",
               "    if (!OBJ_FROZEN(ptr->string)) {\n\trb_check_frozen(ptr->string);\n    }\n    else {")


def jit(edits):
    """Compiled code writes an instance variable after a test of the shape alone."""
    edits.edit("yjit/src/codegen.rs", r'^(        asm_comment!\(asm, "guard shape"\);\n)'
               r"(?=        asm\.cmp\(shape_opnd, Opnd::UImm\(expected_shape as u64\)\);\n"
               r"        jit_chain_guard\(\n            JCC_JNE,\n            jit,\n            asm,\n"
               r"            ocb,\n            SET_IVAR_MAX_DEPTH,)",
               '        asm_comment!(asm, "guard neither frozen nor auto-shareable");\n'
               "        asm.test(\n"
               "            Opnd::mem(64, recv, RUBY_OFFSET_RBASIC_FLAGS),\n"
               "            Opnd::UImm((RUBY_FL_FREEZE | RUBY_FL_UNUSED6) as u64),\n"
               "        );\n"
               "        asm.jnz(Target::side_exit(Counter::setivar_frozen));\n\\1")


def reads(edits):
    """Where a ractor besides main is refused what it has read, autoshare is asked first."""
    edits.edit("variable.c", r"if \(!rb_ractor_shareable_p\(c\)\) \{\n(\s+)rb_raise\(",
               r"if (!rb_autoshare_readable(AUTOSHARE_CONSTANT, klass, id, c)) {\n\1rb_autoshare_raise(")
    edits.edit("vm_insnhelper.c", r"if \(!rb_ractor_shareable_p\(val\)\) \{\n(\s+)rb_raise\(",
               r"if (!rb_autoshare_readable(AUTOSHARE_CONSTANT, klass, id, val)) {\n\1rb_autoshare_raise(")
    edits.edit("variable.c", r"!rb_ractor_shareable_p\(val\)\) \{\n(\s+)rb_raise\((rb_eRactorIsolationError,\n)",
               r"!rb_autoshare_readable(AUTOSHARE_CLASS_IVAR, obj, id, val)) {\n\1rb_autoshare_raise(\2")
    edits.edit("variable.c", r"^rb_gvar_get\(ID id\)\n\{\n",
               "\\g<0>    VALUE shared;\n"
               "    if (UNLIKELY(rb_autoshare_active && !rb_ractor_main_p()) && autoshare_read_global(id, &shared)) {\n"
               "        return shared;\n    }\n\n")
    edits.edit("variable.c", r"^VALUE\nrb_gvar_get\(ID id\)",
               "static bool autoshare_read_global(ID id, VALUE *value);\n\n\\g<0>")
    class_variables(edits)


def class_variables(edits):
    """They may be read by other ractors, but not looked for, set or cached."""
    edits.edit("variable.c", r"^    CVAR_ACCESSOR_SHOULD_BE_MAIN_RACTOR\(\); \\\n", "")
    main_only = "    CVAR_ACCESSOR_SHOULD_BE_MAIN_RACTOR();\n"
    edits.edit("variable.c", r"^rb_cvar_set\(VALUE klass, ID id, VALUE val\)\n\{\n.*\n\n", "\\g<0>" + main_only)
    edits.edit("variable.c", r"^rb_cvar_defined\(VALUE klass, ID id\)\n\{\n.*\n", "\\g<0>" + main_only)
    edits.edit("variable.c", r"^    cvar_overtaken\(\*front, target, id\);\n    return \(VALUE\)value;",
               "    if (UNLIKELY(!rb_ractor_main_p())) {\n"
               "        if (!rb_autoshare_active) { CVAR_ACCESSOR_SHOULD_BE_MAIN_RACTOR(); }\n"
               "        VALUE owner = original_module(target);\n"
               "        if (!rb_autoshare_readable(AUTOSHARE_CLASS_VARIABLE, owner, id, value)) {\n"
               "            rb_autoshare_raise(rb_eRactorIsolationError,\n"
               '                "can not read non-shareable class variable %s from non-main Ractors (%"PRIsVALUE")",\n'
               "                rb_id2name(id), rb_class_name(owner));\n"
               "        }\n"
               "        return value;\n"
               "    }\n\\g<0>")
    edits.edit("vm_insnhelper.c",
               r"^    VALUE klass = vm_get_cvar_base\(cref, reg_cfp, 1\);\n\n(?=    return update_classvariable_cache)",
               "\\g<0>    if (UNLIKELY(!rb_ractor_main_p())) return rb_cvar_get(klass, id);\n\n")


def assignments(edits):
    """What main assigns to a place may be shared from then on."""
    edits.edit("variable.c", r'^    check_before_mod_set\(klass, id, val, "constant"\);\n',
               "\\g<0>    rb_autoshare_assigned(AUTOSHARE_CONSTANT, klass, id, val);\n")
    edits.edit("variable.c", r'^    check_before_mod_set\(ac->module, ac->name, ac->value, "constant"\);\n',
               "\\g<0>    rb_autoshare_assigned(AUTOSHARE_CONSTANT, ac->module, ac->name, ac->value);\n")
    edits.edit("variable.c", r"^    bool existing = false;\n    rb_check_frozen\(obj\);\n",
               "\\g<0>    rb_autoshare_assigned(rb_is_class_id(id) ? AUTOSHARE_CLASS_VARIABLE : AUTOSHARE_CLASS_IVAR,\n"
               "                          obj, id, val);\n")
    edits.edit("variable.c", r"^rb_gvar_val_setter\(VALUE val, ID id, VALUE \*\w+\)\n\{\n.*\n",
               "\\g<0>    rb_autoshare_assigned(AUTOSHARE_GLOBAL, 0, id, val);\n")


def sharing(edits):
    """Ractor.make_shareable and Ractor.shareable? are the library's."""
    edits.edit("ractor.c", r"^static (?=VALUE rb_eRactorError;)", "")
    edits.edit("ractor.c", r"^rb_ractor_make_shareable\(VALUE obj\)\n\{\n",
               "\\g<0>    if (rb_autoshare_make_shareable(obj)) return obj;\n\n")
    edits.edit("ractor.c", r"^rb_ractor_shareable_p_continue\(VALUE obj\)\n\{\n",
               "\\g<0>    int answer = rb_autoshare_shareable_p(obj);\n    if (answer >= 0) return answer;\n\n")
    # An inline cache notes what is known; a ractor that comes upon anything else asks.
    edits.edit("vm_insnhelper.c", r"if \(rb_ractor_shareable_p\(val\)\) (?=ice->flags)",
               "if (rb_autoshare_known_shareable(val)) ")
    # Classes are shareable, and said so when they were first asked about; a walk must find them so.
    edits.edit("class.c", r"^    flags &= T_MASK;\n", "\\g<0>    flags |= FL_SHAREABLE;\n")


def ractors(edits):
    """The library knows each ractor by an id."""
    edits.edit("ractor_core.h", r"^\}; // rb_ractor_t is defined in vm_core\.h",
               "    // autoshare.c\n    uint64_t autoshare_id;\n\\g<0>")
    edits.edit("ractor.c", r"^    r->pub\.id = ractor_next_id\(\);\n", "\\g<0>    rb_autoshare_ractor_new(r);\n", 1)
    edits.edit("ractor.c", r"^        ccan_list_del\(&cr->vmlr_node\);\n", "\\g<0>        rb_autoshare_ractor_free(cr);\n")


def collector(edits):
    """Places are weak, and their objects may move."""
    edits.edit("gc.c", r"^    rb_ractor_finish_marking\(\);\n", "    rb_autoshare_gc_marked();\n\\g<0>")
    edits.edit("gc.c", r"^    rb_gc_update_global_tbl\(\);\n    global_symbols", "    rb_autoshare_gc_moved();\n\\g<0>")


def fork(edits):
    """No walk of another thread is left half-done in a child."""
    edits.edit("process.c", r"^    before_exec\(\);\n(?=\}\n\nstatic void\nafter_fork_ruby)",
               "\\g<0>    rb_autoshare_before_fork();\n")
    edits.edit("process.c", r"^after_fork_ruby\(rb_pid_t pid\)\n\{\n",
               "\\g<0>    rb_autoshare_after_fork(pid == 0);\n")


def main():
    edits = Edits(*sys.argv[1:3])
    edits.copy_hooks()
    for name in "error.c eval.c variable.c gc.c process.c vm_insnhelper.c".split():
        edits.include(name)
    edits.include("ractor.c", after='#include "ruby/ruby.h"')
    for name, hook in [("st.c", "inside_st.h"), ("gc.c", "inside_gc.h"),
                       ("variable.c", "inside_variable.h"), ("string.c", "inside_string.h")]:
        edits.append(name, hook)
    for step in (build, writes, extensions, jit, reads, assignments, sharing, ractors, collector, fork):
        step(edits)
    edits.write()


main()
