# RUBY_AUTOSHARE=off and warn, and RUBY_AUTOSHARE_VERIFY=1: test_modes.rb [PATTERN], under one of these.

require_relative "harness"

MODE = ENV["RUBY_AUTOSHARE_VERIFY"] ? "verify" : ENV.fetch("RUBY_AUTOSHARE")

class Harness::Checks
  # What the block writes to standard error, by whatever means.
  def standard_error
    reader, writer = IO.pipe
    before = $stderr.dup
    $stderr.reopen(writer)
    yield
    $stderr.reopen(before)
    writer.close
    reader.read
  end

  def includes(text, *parts)
    parts.each { |part| wrong "no #{part} in #{text}" unless text.include?(part) }
  end
end

# A test of one of the modes.
def mode(mode, name, &block)
  test("#{mode}: #{name}", &block) if mode == MODE
end

mode "off", "everything is as in a CRuby without the hooks" do
  X = [1, ["two"]]
  error = refused
  equal("can not access non-shareable objects in constant Object::X by non-main Ractor.",
        error.detailed_message.lines.first.sub(/ \(.*/, "").chomp)
  equal(false, X.frozen?)
  equal({}, Ractor::Autoshare.statistics)
  equal(true, Ractor.shareable?(Ractor.make_shareable([["a"]])))
  equal(false, Ractor.shareable?([["a"]].freeze))
end

mode "off", "a global, a class variable and a class's instance variable are refused" do
  $g = 1
  class C
    @@list = ["a"]
    @list = ["b"]
    def self.cvar = @@list
    def self.ivar = @list
  end
  [-> { Ractor.new { $g } }, -> { Ractor.new { C.cvar } }, -> { Ractor.new { C.ivar } }].each do |make|
    error = raises(Ractor::RemoteError) { quietly { make.call.take } }
    equal(Ractor::IsolationError, error.cause.class)
  end
end

mode "warn", "nothing is shared, and what would be is told" do
  X = [1, ["two"]]
  text = standard_error { refused }
  includes(text, "constant X", "#{__FILE__.sub(/test_modes/, "harness")}:")
  equal([false, false], [X.frozen?, X[1].frozen?])
  X << 3
end

mode "warn", "what would conflict is told, with both sides" do
  X = [1, ["two"]]
  text = standard_error do
    refused
    X[1] << 3
  end
  includes(text, "constant X", "X[1]", "#{__FILE__}:#{__LINE__ - 2}")
end

mode "verify", "a write behind the back of every check is found" do
  require "fiddle"
  ractors_exist
  X = { name: "a" * 100 }
  equal(nil, Ractor::Autoshare.verify)
  Fiddle::Pointer[X[:name]][5] = "b".ord
  includes(Ractor::Autoshare.verify, "#<String>")
  equal(nil, Ractor::Autoshare.verify)
end

mode "verify", "an access tells of it too" do
  require "fiddle"
  ractors_exist
  X = ["a" * 100]
  Fiddle::Pointer[X[0]][5] = "b".ord
  includes(standard_error { read }, "#<String>")
end

mode "verify", "announced writes are no fault" do
  ractors_exist
  X = [{ a: +"b" }]
  X[0][:a] << "c"
  X[0][:d] = 1
  X << 2
  equal(nil, Ractor::Autoshare.verify)
end
