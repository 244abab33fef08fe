# What Feature #17278 promises, in a CRuby with the hooks: ruby test_autoshare.rb [PATTERN]

require "set"
require "stringio"
require "objspace"
require_relative "harness"

# --- the states

test "before the first ractor nothing is marked" do
  X = [1, [2]]
  equal(:ordinary, state(X))
  X << 3
end

test "the first ractor marks what constants refer to" do
  X = [1, ["two", { three: "four" }]]
  ractors_exist
  each_state(:autoshare, X, X[1], X[1][0], X[1][1], X[1][1][:three])
end

test "an assignment marks once there are ractors" do
  ractors_exist
  X = ["a"]
  each_state(:autoshare, X, X[0])
end

test "what main wrote before the first ractor is shared all the same" do
  X = []
  X << 1 << "two"
  equal([1, "two"], read)
end

test "a graph is A until it is read, and frozen? is false" do
  X = [1, ["two"]]
  ractors_exist
  equal([false, false], [X.frozen?, X[1].frozen?])
  equal(false, Ractor.shareable?(X))
end

test "a read makes the whole graph C" do
  X = [1, ["two", { three: "four" }]]
  equal(X, read)
  each_state(:shareable, X, X[1], X[1][0], X[1][1], X[1][1][:three])
  equal([true] * 3, [X, X[1], X[1][1]].map(&:frozen?))
  equal(true, Ractor.shareable?(X))
end

test "the reader has the very object" do
  X = ["a"]
  equal(X.object_id, Ractor.new { X.object_id }.take)
end

test "a write makes B of the object that is written, and of no other" do
  X = [1, ["two"]]
  ractors_exist
  X << 3
  equal(:ordinary, state(X))
  equal(:autoshare, state(X[1]))
  refused
end

test "a write to a leaf blocks the graph" do
  X = [1, ["two"]]
  ractors_exist
  X[1][0] << "!"
  refused
  each_state(:ordinary, X, X[1], X[1][0])
end

test "after a failure nothing is frozen" do
  X = [["a"], ["b"], $stderr]
  refused
  equal([false] * 4, [X, X[0], X[1], X[0][0]].map(&:frozen?))
  X[0] << "c"
  X << 1
end

test "C can't be written by main" do
  X = { a: [1] }
  read
  error = raises(FrozenError) { X[:b] = 2 }
  equal("can't modify frozen Hash: {:a=>[1]}", error.message)
  raises(FrozenError) { X[:a] << 2 }
end

test "C can't be written by a ractor" do
  X = [1]
  error = raises(Ractor::RemoteError) { quietly { Ractor.new { X << 2 }.take } }
  equal(FrozenError, error.cause.class)
end

test "B can be assigned anew, and is A again" do
  X = [1]
  ractors_exist
  X << 2
  refused
  Y = X
  equal(:autoshare, state(X))
  equal([1, 2], read(:Y))
  equal([1, 2], read(:X))
end

test "a program that freezes A leaves it A, and it can be shared" do
  X = [["a"]]
  ractors_exist
  X.freeze
  equal(:autoshare, state(X))
  raises(FrozenError) { X << 1 }
  read
  equal(:shareable, state(X[0]))
end

test "what is shareable by itself stays so" do
  X = [1, :two, nil, 3.0, "four".freeze].freeze
  equal(true, Ractor.shareable?(X))
  equal(:shareable, state(X))
  read
end

test "immediates are shareable" do
  X = 1
  Y = :y
  Z = nil
  equal([1, :y, nil], [read(:X), read(:Y), read(:Z)])
end

# --- places

test "a constant of a class" do
  class C
    LIST = ["a"]
  end
  equal(["a"], Ractor.new { C::LIST }.take)
  equal(:shareable, state(C::LIST))
end

test "a constant inherited, from a module, and looked up lexically" do
  module M
    FROM_MODULE = ["m"]
  end
  class Parent
    INHERITED = ["p"]
  end
  class Child < Parent
    include M
    def self.both = [INHERITED, FROM_MODULE]
  end
  equal([["p"], ["m"]], Ractor.new { Child.both }.take)
  equal(["p"], Ractor.new { Child::INHERITED }.take)
  equal(["m"], Ractor.new { Child.const_get(:FROM_MODULE) }.take)
end

test "a constant's inline cache, warm in main and in ractors" do
  X = ["a"]
  def self.read_x = X
  Harness::Checks.define_method(:read_x) { X }
  3.times { read_x }
  reader = proc { 3.times.map { X }.uniq.size }
  equal(1, Ractor.new { 3.times.map { X }.uniq.size }.take)
  equal(1, reader.call)
  Object.send(:remove_const, :X)
  X = ["b"]
  equal(["b"], Ractor.new { 3.times.map { X }.last }.take)
  X.frozen? or raise
end

test "an inline cache filled by a ractor does not outlive the value" do
  X = ["a"]
  ractor = Ractor.new do
    read = -> { X }
    Ractor.yield(3.times.map { read.call }.last)
    Ractor.receive
    begin
      read.call
    rescue => error
      error.class
    end
  end
  equal(["a"], ractor.take)
  Object.send(:remove_const, :X)
  X = ["b"]
  X << "c"
  ractor.send(:go)
  equal(Ractor::IsolationError, ractor.take)
end

test "a global" do
  $shared = [1, ["two"]]
  equal([1, ["two"]], Ractor.new { $shared }.take)
  equal(:shareable, state($shared))
  raises(FrozenError) { $shared << 3 }
end

test "a global that main wrote" do
  $shared = [1]
  ractors_exist
  $shared << 2
  error = raises(Ractor::RemoteError) { quietly { Ractor.new { $shared }.take } }
  equal("can not access global variables $shared from non-main Ractors", error.cause.message)
end

test "a ractor can't set a global" do
  $shared = 1
  error = raises(Ractor::RemoteError) { quietly { Ractor.new { $shared = 2 }.take } }
  equal(Ractor::IsolationError, error.cause.class)
end

test "globals with a getter of their own answer as before" do
  error = raises(Ractor::RemoteError) { quietly { Ractor.new { $LOADED_FEATURES }.take } }
  equal(Ractor::IsolationError, error.cause.class)
  Ractor.new { [$stdout.class, $DEBUG, $VERBOSE] }.take
end

test "a class variable" do
  class C
    @@list = ["a"]
    def self.list = @@list
    def self.add = @@list << "b"
  end
  2.times { C.list }
  equal(["a"], Ractor.new { 2.times { C.list } && C.list }.take)
  raises(FrozenError) { C.add }
end

test "a class variable that main wrote" do
  class C
    @@list = ["a"]
    def self.list = @@list
  end
  ractors_exist
  C.list << "b"
  error = raises(Ractor::RemoteError) { quietly { Ractor.new { C.list }.take } }
  equal("can not read non-shareable class variable @@list from non-main Ractors (C)",
        error.cause.message)
end

test "a class variable of an ancestor, read by class_variable_get" do
  class Parent
    @@list = ["a"]
  end
  class Child < Parent; end
  equal(["a"], Ractor.new { Child.class_variable_get(:@@list) }.take)
end

test "a ractor can't set a class variable" do
  class C
    @@list = 1
    def self.list=(value)
      @@list = value
    end
  end
  error = raises(Ractor::RemoteError) { quietly { Ractor.new { C.list = 2 }.take } }
  equal(Ractor::IsolationError, error.cause.class)
end

test "a class variable assigned through a warm cache is marked" do
  class C
    @@list = nil
    def self.list = @@list
    def self.list=(value)
      @@list = value
    end
  end
  ractors_exist
  3.times { C.list = ["a"] }
  equal(:autoshare, state(C.list))
  equal(["a"], Ractor.new { C.list }.take)
end

test "an instance variable of a class" do
  class C
    @list = ["a"]
    class << self
      attr_accessor :list
    end
  end
  equal(["a"], Ractor.new { C.list }.take)
  raises(FrozenError) { C.list << "b" }
  3.times { C.list = ["c"] }
  equal(:autoshare, state(C.list))
  equal(["c"], Ractor.new { C.list }.take)
end

test "an instance variable of a class that main wrote" do
  module M
    @list = ["a"]
    def self.list = @list
  end
  ractors_exist
  M.list << "b"
  error = raises(Ractor::RemoteError) { quietly { Ractor.new { M.list }.take } }
  equal("can not get unshareable values from instance variables of classes/modules from non-main Ractors",
        error.cause.message)
end

test "a constant that an autoload defines" do
  require "tmpdir"
  Dir.mktmpdir do |folder|
    File.write("#{folder}/loaded.rb", "LOADED = ['a']")
    ractors_exist
    Object.autoload :LOADED, "#{folder}/loaded.rb"
    LOADED
    equal(:autoshare, state(LOADED))
    equal(["a"], Ractor.new { LOADED }.take)
  end
end

test "two places, one object" do
  X = ["a"]
  Y = [X]
  $z = X
  ractors_exist
  X << "b"
  refused(:Y)
  refused(:X)
end

# --- kinds of objects

KINDS = {
  "a long array" => -> { (1..1000).map(&:to_s) },
  "a short array" => -> { [+"a", +"b"] },
  "an empty array" => -> { [] },
  "a slice that shares its buffer" => -> { (1..1000).map(&:to_s)[10, 900] },
  "a small hash" => -> { { "a" => +"b", c: [1] } },
  "a large hash" => -> { (1..100).to_h { |i| [i.to_s, [i]] } },
  "a hash with deleted entries" => -> { (1..100).to_h { |i| [i, [i]] }.tap { |h| 30.times { h.shift } } },
  "a hash by identity" => -> { {}.compare_by_identity.tap { |h| h[+"a"] = +"b" } },
  "a hash with a default" => -> { Hash.new(+"none").merge!(a: 1) },
  "a short string" => -> { +"short" },
  "a long string" => -> { "long" * 1000 },
  "a string that shares its buffer" => -> { ("long" * 1000)[10..] },
  "an object" => -> { Plain.new(+"a", [1]) },
  "an object with many variables" => -> { Many.new },
  "an object with too many shapes" => -> { Shapeless.make },
  "a struct" => -> { Pair.new(+"a", [1]) },
  "a long struct" => -> { Long.new(*(1..20).map(&:to_s)) },
  "a data" => -> { Point.new(x: [1], y: +"two") },
  "a range" => -> { Range.new("a", "b") },
  "a rational" => -> { Rational(1, 2**70) },
  "a complex" => -> { Complex(Rational(1, 3), 2**70) },
  "a large integer" => -> { 2**100 },
  "a match" => -> { "abc".match(/b(.)/) },
  "a regexp" => -> { Regexp.new("a" + "b") },
  "a set" => -> { Set[+"a", [1]] },
  "a time" => -> { Time.at(0) },
  "an array with instance variables" => -> { [1].tap { |a| a.instance_variable_set(:@x, [+"y"]) } },
  "a string with instance variables" => -> { (+"s").tap { |a| a.instance_variable_set(:@x, [+"y"]) } },
  "an exception" => -> { RuntimeError.new(+"message") },
  "a dynamic symbol" => -> { "dynamic#{rand(1 << 60)}".to_sym },
  "a cycle" => -> { [+"a"].tap { |a| a << [a] } },
  "a subclass of array" => -> { Class.new(Array) { def self.name = "Sub" }.new(3) { +"x" } },
}.freeze

class Plain
  attr_accessor :name, :list

  def initialize(name, list)
    @name = name
    @list = list
  end
end

class Many
  def initialize
    100.times { |i| instance_variable_set(:"@v#{i}", [i.to_s]) }
  end
end

class Shapeless
  def self.make
    20.times { |i| new.instance_variable_set(:"@odd#{i}", 1) }
    (1..2000).map { |i| new.tap { |o| o.instance_variable_set(:"@v#{i}", [+"x"]) } }.last
  end
end

Pair = Struct.new(:left, :right)
Long = Struct.new(*(1..20).map { |i| :"m#{i}" })
Point = Data.define(:x, :y)

# All objects that `object` refers to, itself included.
def reachable(object)
  seen = {}.compare_by_identity
  rest = [object]
  while (one = rest.pop)
    next if seen[one] || one.is_a?(Module)
    seen[one] = true
    next rest.concat(one.to_a.flatten(1), [one.default, one.default_proc]) if one.is_a?(Hash) &&
                                                                           rest.concat(one.instance_variables.map { |v| one.instance_variable_get(v) })
    rest.concat(one) if one.is_a?(Array)
    rest.concat(one.to_a) if one.is_a?(Struct)
    rest.concat(one.to_h.values) if one.is_a?(Data)
    rest.concat(one.instance_variables.map { |v| one.instance_variable_get(v) })
  end
  seen.keys
end

KINDS.each do |name, make|
  test "#{name} is shared as it is" do
    object = make.call
    assign(object)
    read
    reachable(object).each do |one|
      wrong "#{one.inspect} is not shareable" unless Ractor.shareable?(one)
      wrong "#{one.inspect} is not frozen" unless one.frozen?
    end
  end

  test "#{name} is made shareable explicitly" do
    object = make.call
    equal(object.object_id, Ractor.make_shareable(object).object_id)
    reachable(object).each { |one| equal([true, true], [Ractor.shareable?(one), one.frozen?]) }
  end

  test "#{name} stays as it is if something beside it can't be shared" do
    object = make.call
    before = reachable(object).map { |one| [one, one.frozen?] }
    graph = [[object], Thread.current]
    assign(graph)
    refused
    error = raises(Ractor::Error) { Ractor.make_shareable(graph) }
    equal("can not make shareable object for #{Thread.current}", error.message)
    before.each { |one, frozen| equal(frozen, one.frozen?) }
  end
end

{
  "a thread" => -> { Thread.current },
  "a mutex" => -> { Mutex.new },
  "a file" => -> { File.open(__FILE__) },
  "standard output" => -> { $stdout },
  "a method" => -> { 1.method(:+) },
  "a binding" => -> { binding },
  "an enumerator" => -> { [1].each },
  "a string io" => -> { StringIO.new },
  "a random generator" => -> { Random.new },
  "a weak map" => -> { ObjectSpace::WeakMap.new },
}.each do |name, make|
  test "#{name} is never shared" do
    object = make.call
    assign([[object]])
    refused
    equal(false, object.frozen?)
  end
end

test "a proc blocks an access, and says what helps" do
  X = [proc { 1 }]
  error = refused
  wrong error.detailed_message unless error.detailed_message.include?("X[0]")
end

test "a proc that can be isolated is made shareable explicitly" do
  a = 1
  block = Ractor.current.instance_eval { proc { a } }
  X = [Ractor.make_shareable(block)]
  equal(1, Ractor.new { X[0].call }.take)
end

test "a hash with a default proc blocks" do
  X = Hash.new { |hash, key| hash[key] = key }
  refused
  equal(false, X.frozen?)
end

test "classes and modules in a graph stay as they are" do
  X = [String, Kernel, Class.new]
  read
  equal([false] * 3, X.map(&:frozen?))
end

test "a singleton class is frozen with its object" do
  X = +"a"
  def X.shout = upcase + "!"
  equal("A!", Ractor.new { X.shout }.take)
  raises(FrozenError) { def X.other = 1 }
end

# --- what is a write

WRITES = {
  "Array#<<" => [-> { [1] }, ->(a) { a << 2 }],
  "Array#push" => [-> { [1] }, ->(a) { a.push(2) }],
  "Array#[]=" => [-> { [1] }, ->(a) { a[0] = 2 }],
  "Array#concat" => [-> { [1] }, ->(a) { a.concat([2]) }],
  "Array#clear" => [-> { [1] }, ->(a) { a.clear }],
  "Array#pop" => [-> { [1] }, ->(a) { a.pop }],
  "Array#shift" => [-> { [1] * 100 }, ->(a) { a.shift }],
  "Array#unshift" => [-> { [1] }, ->(a) { a.unshift(2) }],
  "Array#insert" => [-> { [1] }, ->(a) { a.insert(0, 2) }],
  "Array#sort!" => [-> { [2, 1] }, ->(a) { a.sort! }],
  "Array#map!" => [-> { [2, 1] }, ->(a) { a.map!(&:succ) }],
  "Array#fill" => [-> { [2, 1] }, ->(a) { a.fill(0) }],
  "Array#delete" => [-> { [2, 1] }, ->(a) { a.delete(2) }],
  "Array#delete_at" => [-> { [2, 1] }, ->(a) { a.delete_at(0) }],
  "Array#delete_if" => [-> { [2, 1] }, ->(a) { a.delete_if(&:odd?) }],
  "Array#replace" => [-> { [2, 1] }, ->(a) { a.replace([3]) }],
  "Array#reverse!" => [-> { [2, 1] }, ->(a) { a.reverse! }],
  "Array#rotate!" => [-> { [2, 1] }, ->(a) { a.rotate! }],
  "Array#shuffle!" => [-> { [2, 1] }, ->(a) { a.shuffle! }],
  "Array#uniq!" => [-> { [2, 2] }, ->(a) { a.uniq! }],
  "Array#compact!" => [-> { [nil] }, ->(a) { a.compact! }],
  "Array#flatten!" => [-> { [[1]] }, ->(a) { a.flatten! }],
  "Array#slice!" => [-> { [1, 2] }, ->(a) { a.slice!(0, 1) }],
  "Array#keep_if" => [-> { [1, 2] }, ->(a) { a.keep_if(&:odd?) }],
  "Hash#[]=" => [-> { { a: 1 } }, ->(h) { h[:b] = 2 }],
  "Hash#[]= of a key that is there" => [-> { { a: 1 } }, ->(h) { h[:a] = 2 }],
  "Hash#[]= of a string key" => [-> { { "a" => 1 } }, ->(h) { h["b"] = 2 }],
  "Hash#store" => [-> { { a: 1 } }, ->(h) { h.store(:b, 2) }],
  "Hash#delete" => [-> { { a: 1 } }, ->(h) { h.delete(:a) }],
  "Hash#shift" => [-> { { a: 1 } }, ->(h) { h.shift }],
  "Hash#clear" => [-> { { a: 1 } }, ->(h) { h.clear }],
  "Hash#merge!" => [-> { { a: 1 } }, ->(h) { h.merge!(b: 1) }],
  "Hash#replace" => [-> { { a: 1 } }, ->(h) { h.replace({}) }],
  "Hash#transform_values!" => [-> { { a: 1 } }, ->(h) { h.transform_values!(&:succ) }],
  "Hash#transform_keys!" => [-> { { a: 1 } }, ->(h) { h.transform_keys!(&:to_s) }],
  "Hash#default=" => [-> { { a: 1 } }, ->(h) { h.default = 1 }],
  "Hash#default_proc=" => [-> { { a: 1 } }, ->(h) { h.default_proc = proc {} }],
  "Hash#compare_by_identity" => [-> { {} }, ->(h) { h.compare_by_identity }],
  "Hash#rehash" => [-> { { a: 1 } }, ->(h) { h.rehash }],
  "Hash#delete_if" => [-> { { a: 1 } }, ->(h) { h.delete_if { true } }],
  "Hash#compact!" => [-> { { a: nil } }, ->(h) { h.compact! }],
  "a large Hash#[]=" => [-> { (1..100).to_h { [_1, 1] } }, ->(h) { h[1] = 2 }],
  "String#<<" => [-> { +"a" }, ->(s) { s << "b" }],
  "String#concat" => [-> { +"a" }, ->(s) { s.concat("b", "c") }],
  "String#[]=" => [-> { +"abc" }, ->(s) { s[0] = "b" }],
  "String#replace" => [-> { +"a" }, ->(s) { s.replace("b") }],
  "String#clear" => [-> { +"a" }, ->(s) { s.clear }],
  "String#upcase!" => [-> { +"a" }, ->(s) { s.upcase! }],
  "String#gsub!" => [-> { +"a" }, ->(s) { s.gsub!("a", "b") }],
  "String#sub!" => [-> { +"a" }, ->(s) { s.sub!("a", "b") }],
  "String#tr!" => [-> { +"a" }, ->(s) { s.tr!("a", "b") }],
  "String#setbyte" => [-> { +"a" }, ->(s) { s.setbyte(0, 66) }],
  "String#insert" => [-> { +"a" }, ->(s) { s.insert(0, "b") }],
  "String#prepend" => [-> { +"a" }, ->(s) { s.prepend("b") }],
  "String#force_encoding" => [-> { +"a" }, ->(s) { s.force_encoding("BINARY") }],
  "String#encode!" => [-> { +"\u00e9" }, ->(s) { s.encode!("UTF-16LE") }],
  "String#squeeze!" => [-> { +"aa" }, ->(s) { s.squeeze! }],
  "String#slice!" => [-> { +"aa" }, ->(s) { s.slice!(0) }],
  "String#chomp!" => [-> { +"aa\n" }, ->(s) { s.chomp! }],
  "String#succ!" => [-> { +"aa" }, ->(s) { s.succ! }],
  "String#unicode_normalize!" => [-> { +"e\u0301" }, ->(s) { s.unicode_normalize! }],
  "String#append_as_bytes or <<" => [-> { +"a" }, ->(s) { s << 98 }],
  "a long String#<<" => [-> { "a" * 1000 }, ->(s) { s << "b" }],
  "IO#read into a buffer" => [-> { +"" }, ->(s) { File.open(__FILE__) { |f| f.read(10, s) } }],
  "an attribute" => [-> { Plain.new(1, 2) }, ->(o) { o.name = 3 }],
  "instance_variable_set" => [-> { Plain.new(1, 2) }, ->(o) { o.instance_variable_set(:@name, 3) }],
  "a new instance variable" => [-> { Plain.new(1, 2) }, ->(o) { o.instance_variable_set(:@other, 3) }],
  "remove_instance_variable" => [-> { Plain.new(1, 2) }, ->(o) { o.remove_instance_variable(:@name) }],
  "an ivar in instance_eval" => [-> { Plain.new(1, 2) }, ->(o) { o.instance_eval { @name = 3 } }],
  "an ivar of an array" => [-> { [1] }, ->(o) { o.instance_variable_set(:@name, 3) }],
  "an ivar of too many shapes" => [-> { Shapeless.make }, ->(o) { o.instance_variable_set(:@q, 3) }],
  "a struct's setter" => [-> { Pair.new(1, 2) }, ->(o) { o.left = 3 }],
  "Struct#[]=" => [-> { Pair.new(1, 2) }, ->(o) { o[:left] = 3 }],
  "a long struct's setter" => [-> { Long.new }, ->(o) { o.m15 = 3 }],
  "a singleton method" => [-> { +"a" }, ->(o) { def o.x = 1 }],
  "define_singleton_method" => [-> { [1] }, ->(o) { o.define_singleton_method(:x) { 1 } }],
  "extend" => [-> { [1] }, ->(o) { o.extend(Comparable) }],
  "Set#add" => [-> { Set[1] }, ->(o) { o.instance_variable_get(:@hash)[2] = true; o.instance_variable_set(:@hash, {}) }],
  "Array#initialize_copy" => [-> { [1] }, ->(o) { o.send(:initialize_copy, [2]) }],
  "ObjectSpace.define_finalizer" => [-> { +"a" }, ->(o) { ObjectSpace.define_finalizer(o, proc {}) }],
  "StringIO#write" => [-> { +"a" }, ->(o) { StringIO.new(o, "a").write("b") }],
  "StringIO#truncate" => [-> { +"abc" }, ->(o) { StringIO.new(o, "r+").truncate(1) }],
  "Array#pack into a buffer" => [-> { +"a" }, ->(o) { [1].pack("C", buffer: o) }],
  "Kernel#send through a C function" => [-> { [3, 1] }, ->(o) { o.public_send(:sort_by!, &:itself) }],
}.freeze

WRITES.each do |name, (make, write)|
  test "#{name} is a write" do
    # Once with everything warm: caches must not let the second one pass.
    3.times { write.call(make.call) }
    writes(make.call) { |object| write.call(object) }
  end

  test "#{name} is refused once the object is shared" do
    3.times { write.call(make.call) }
    assign(make.call)
    read
    before = Marshal.dump(X)
    raises(FrozenError, IOError, Errno::EACCES) { write.call(X) }
    equal(before, Marshal.dump(X))
  end
end

test "an ivar written by a method with a warm cache" do
  writer = Plain.instance_method(:name=)
  class Plain
    def change(value)
      @name = value
    end
  end
  100.times { Plain.new(1, 2).change(3) }
  writes(Plain.new(1, 2)) { |object| object.change(4) }
end

test "a new ivar added by a method with a warm cache" do
  class Plain
    def grow(value)
      @extra = value
    end
  end
  100.times { Plain.new(1, 2).grow(3) }
  writes(Plain.new(1, 2)) { |object| object.grow(4) }
end

test "an ivar of an array written by a method with a warm cache" do
  class Sub < Array
    def change(value)
      @name = value
    end
  end
  100.times { Sub.new.tap { _1.change(1) }.change(3) }
  object = Sub.new.tap { _1.change(1) }
  writes(object) { object.change(4) }
end

# That none of these ways to look at what `makes` make is a write.
def only_reads_of(kind, makes, looks)
  looks.each do |name, look|
    test("#{name} of #{kind} is no write") { makes.each { |make| only_reads(make.call, &look) } }
  end
end

only_reads_of("an array", [-> { (1..1000).map(&:to_s) }, -> { [1, 2] }], {
  "dup" => ->(o) { o.dup << 1 },
  "clone" => ->(o) { o.clone << 1 },
  "a slice" => ->(o) { o[1..] },
  "each" => ->(o) { o.each { } },
  "map" => ->(o) { o.map(&:to_s) },
  "hash" => ->(o) { o.hash },
  "object_id" => ->(o) { o.object_id },
  "inspect" => ->(o) { o.inspect },
  "to_a" => ->(o) { o.to_a },
  "Marshal.dump" => ->(o) { Marshal.dump(o) },
})

only_reads_of("a string", [-> { "h\u00e9llo" * 1000 }, -> { +"h\u00e9llo" }], {
  "dup" => ->(o) { o.dup },
  "a substring" => ->(o) { o[1..] },
  "valid_encoding?" => ->(o) { o.valid_encoding? },
  "hash" => ->(o) { o.hash },
  "to_sym" => ->(o) { o.to_sym },
  "unary plus" => ->(o) { +o },
  "unary minus" => ->(o) { -o },
  "match?" => ->(o) { o.match?(/x/) },
  "use as a key" => ->(o) { { o => 1 } },
})

test "an iteration of a hash is no write, and may be interrupted by a read" do
  X = { a: 1, b: 2 }
  ractors_exist
  X.each do |key, _|
    equal({ a: 1, b: 2 }, read) if key == :a
  end
  equal(:shareable, state(X))
  X.each { }
end

# --- user code

class Freezer
  class << self
    attr_accessor :calls, :action
  end
  attr_reader :value

  def initialize(value = nil)
    @value = value
  end

  def freeze
    Freezer.calls = Freezer.calls.to_i + 1
    Freezer.action&.call(self)
    super
  end
end

test "a user-defined freeze blocks an access, which runs no code" do
  X = [Freezer.new]
  refused
  equal(nil, Freezer.calls)
end

test "a user-defined freeze is called by make_shareable, once for each object" do
  X = [Freezer.new([Freezer.new]), +"a"]
  Ractor.make_shareable(X)
  equal(2, Freezer.calls)
  read
end

test "a freeze that raises leaves the rest unfrozen" do
  Freezer.action = ->(_) { raise ArgumentError, "no" }
  list = [[1], Freezer.new]
  error = raises(ArgumentError) { Ractor.make_shareable(list) }
  equal("no", error.message)
  equal([false, false], [list.frozen?, list[0].frozen?])
  Freezer.action = nil
  Ractor.make_shareable(list)
end

test "a freeze that does not freeze" do
  object = Class.new { def freeze = self }.new
  error = raises(Ractor::Error) { Ractor.make_shareable([object]) }
  equal("#freeze does not freeze object correctly", error.message)
end

test "a freeze that writes to the graph, and makes more of its kind" do
  list = []
  Freezer.action = ->(_) { list << Freezer.new if list.size < 10 }
  list << Freezer.new
  Ractor.make_shareable(list)
  equal(10, list.size)
  equal(true, Ractor.shareable?(list))
end

test "a freeze that shares, collects, throws and runs threads" do
  Freezer.action = lambda do |_|
    Ractor.make_shareable([+"x"])
    GC.start
    GC.compact
    Thread.new { Ractor.make_shareable([+"y"]) }.join
  end
  Ractor.make_shareable([Freezer.new, +"a"])
  Freezer.action = ->(_) { throw :out }
  catch(:out) { Ractor.make_shareable([Freezer.new, +"a"]) }
  Freezer.action = nil
  Ractor.make_shareable([Freezer.new])
end

# --- reports

test "a FrozenError says who read, where, and through what" do
  X = { a: [1, ["deep"]] }
  read
  line = __LINE__ + 1
  error = raises(FrozenError) { X[:a][1] << 2 }
  text = error.detailed_message
  ["constant X", "X[:a][1]", "#{__FILE__}:#{line}", "ractor"].each do |part|
    wrong "no #{part} in #{text}" unless text.include?(part)
  end
end

test "an IsolationError says who wrote, where, and through what" do
  X = { a: [1, ["deep"]] }
  ractors_exist
  line = __LINE__ + 1
  X[:a][1] << 2
  text = refused.detailed_message
  ["can not access non-shareable objects in constant Object::X by non-main Ractor.",
   "constant X", "X[:a][1]", "#{__FILE__}:#{line}", "main"].each do |part|
    wrong "no #{part} in #{text}" unless text.include?(part)
  end
end

test "explain names what would block" do
  ractors_exist
  X = [{ file: [$stderr] }]
  text = Ractor::Autoshare.explain(X)
  wrong text unless text.include?("[0][:file][0]")
  equal(nil, Ractor::Autoshare.explain([1]).then { Ractor::Autoshare.explain(1) })
end

test "draw" do
  ractors_exist
  X = [["a"], $stderr]
  text = Ractor::Autoshare.draw(X)
  wrong text unless text.match?(/A .*Array/) && text.include?("IO")
  wrong "no drawing" unless Ractor::Autoshare.draw(X, true).start_with?("digraph")
end

# --- size

test "a list of a million links is shared and made shareable" do
  make = -> { (1..1_000_000).inject(nil) { |rest, i| [i, rest] } }
  X = make.call
  read
  equal(:shareable, state(X))
  other = Ractor.make_shareable(make.call)
  equal(true, Ractor.shareable?(other))
end

test "shareable? of a frozen list of a million links" do
  list = (1..1_000_000).inject(nil) { |rest, i| [i, rest].freeze }
  equal(true, Ractor.shareable?(list))
end

test "a chain of constants, each one failing, is not walked again and again" do
  n = 2000
  list = [$stderr]
  n.times do |i|
    list = [list]
    Object.const_set("CHAIN_#{i}", list)
  end
  refused("CHAIN_#{n - 1}")
  before = Ractor::Autoshare.statistics[:walks_blocked]
  20.times { |i| refused("CHAIN_#{100 * i}") }
  equal(before, Ractor::Autoshare.statistics[:walks_blocked])
end

test "a large constant with one mutable leaf, read a thousand times" do
  X = Array.new(300_000) { |i| [i] }
  ractors_exist
  X[299_999] << 1
  failures = Ractor.new do
    1000.times.count do
      X
      false
    rescue Ractor::IsolationError
      true
    end
  end
  equal(1000, failures.take)
  # Besides the one walk: what Ractor.new asked of its block and the like.
  walks = Ractor::Autoshare.statistics[:walks_blocked]
  wrong "#{walks} walks" if walks > 20
end

# --- the collector

test "marks survive a compaction" do
  X = (1..1000).map { |i| [i.to_s, { i => [i] }] }
  ractors_exist
  GC.compact
  equal(:autoshare, state(X[500][1]))
  equal(1000, read.size)
  GC.compact
  equal(:shareable, state(X[500][1]))
  raises(FrozenError) { X << 1 }
end

test "constants removed, and classes that die, are forgotten" do
  ractors_exist
  100.times do |i|
    klass = Class.new
    klass.const_set(:LIST, [i.to_s] * 100)
    klass.class_variable_set(:@@list, [+"a"])
  end
  GC.start
  GC.compact
  X = ["a"]
  Object.send(:remove_const, :X)
  GC.start
  GC.stress = true
  Y = ["b", { c: [+"d"] }]
  equal(["b", { c: ["d"] }], read(:Y))
  GC.stress = false
end

test "a read under GC.stress" do
  X = (1..20).map { |i| [i.to_s, { i => +"x" }] }
  GC.stress = true
  equal(20, read.size)
  raises(FrozenError) { X << 1 }
end

# --- ractors

test "many ractors read one graph at once" do
  X = (1..1000).map { |i| [i.to_s, { i => [i] }] }
  ractors_exist
  before = Ractor::Autoshare.statistics[:objects_shared]
  ractors = 10.times.map { Ractor.new { X.sum { |s, h| s.size + h.values[0][0] } } }
  equal(1, ractors.map(&:take).uniq.size)
  shared = Ractor::Autoshare.statistics[:objects_shared] - before
  wrong "#{shared} objects shared" unless (4001..4100).cover?(shared)
end

test "a ractor that reads in a ractor" do
  X = ["a"]
  equal(["a"], Ractor.new { Ractor.new { X }.take }.take)
end

test "a ractor makes its own graph shareable" do
  equal([true, true],
        Ractor.new { a = [+"a"]; Ractor.make_shareable(a); [a.frozen?, a[0].frozen?] }.take)
end

test "an object that is moved away is no longer main's" do
  X = [+"a"]
  ractors_exist
  ractor = Ractor.new { Ractor.receive }
  ractor.send(X, move: true)
  equal(["a"], ractor.take)
  raises(Ractor::MovedError) { X.size }
end

test "a ractor can set a constant to what is shareable" do
  Ractor.new { Object.const_set(:FROM_RACTOR, Ractor.make_shareable(["a"])) }.take
  equal(["a"], FROM_RACTOR)
  equal(["a"], Ractor.new { FROM_RACTOR }.take)
end

test "a child process goes on" do
  X = ["a"]
  Y = ["b"]
  read
  # While a ractor is still ending, the child of a fork may crash in its allocator, without autoshare too.
  sleep 0.001 until Ractor.count == 1
  child = fork do
    equal(["b"], read(:Y))
    raises(FrozenError) { X << 1 }
    exit!(0)
  end
  equal(true, Process.wait2(child)[1].success?)
  Y << 1
end

test "threads of main write and share" do
  ractors_exist
  X = Array.new(100) { [] }
  threads = 4.times.map { |t| Thread.new { 100.times { |i| X[i] << t } } }
  threads.each(&:join)
  equal(400, X.sum(&:size))
end

test "ractors that share their own graphs do not wait for each other's worlds to stop" do
  X = ["a"]
  ractors = 4.times.map do
    Ractor.new do
      1000.times { |i| Ractor.make_shareable([i.to_s, { i => [+"x"] }]) && X }
      Ractor.shareable?([+"y"].freeze)
    end
  end
  X2 = Array.new(100) { [] }
  1000.times { |i| X2[i % 100] << i }
  equal([false] * 4, ractors.map(&:take))
end
