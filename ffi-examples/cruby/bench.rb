# What the hooks cost and gain, stock against ours, everything in one run:
#   ruby bench.rb STOCK OURS BENCHMARKS [ROUNDS]
#
# STOCK and OURS are interpreters, BENCHMARKS is CRuby's own folder of that name. Programs run in turn,
# ROUNDS times each; what counts is the shortest time on the CPU, since the machine may be busy. Prints a
# table, and as its last line what was met of what was promised.

$stdout.sync = true
require "json"
require "open3"
require "yaml"

STOCK, OURS, BENCHMARKS, rounds = ARGV
ROUNDS = (rounds || 7).to_i
HERE = __dir__

# Programs that write a lot, with how often the loop of those that have one is run.
PROGRAMS = {
  "array_shift" => nil, "array_sort_block" => nil, "bighash" => nil, "hash_shift" => nil,
  "hash_literal_small8" => nil, "hash_small8" => nil, "so_array" => nil, "so_sieve" => nil,
  "so_object" => nil, "so_lists" => nil, "so_matrix" => nil, "so_exception" => nil,
  "so_concatenate" => nil, "so_nsieve" => nil, "app_strconcat" => nil,
  "vm_array" => 6_000_000, "vm_ivar_set" => 20_000_000, "vm_attr_ivar_set" => 20_000_000,
  "vm_ivar_lazy_set" => 1, "vm_ivar_generic_set" => 1_000_000,
  "vm_ivar_of_class_set" => 6_000_000, "vm_ivar_embedded_obj_init" => 6_000_000,
  "vm_struct_small_aset" => 300_000, "vm_struct_big_aset" => 300_000,
  "vm_const" => 20_000_000, "vm_cvar" => 10_000_000, "vm_gc_wb_ary" => 20_000_000,
  "vm_gc_wb_obj" => 20_000_000, "vm_string_literal" => 10_000_000
}.freeze

# Of these instructions are counted.
COUNTED = { "vm_ivar_set" => 300_000, "vm_struct_small_aset" => 300_000, "vm_gc_wb_ary" => 300_000 }.freeze

# The source of one of CRuby's benchmarks, with a loop if it is a description of one.
def source(name, count)
  plain = File.join(BENCHMARKS, "#{name}.rb")
  return File.read(plain) if File.exist?(plain)
  description = YAML.load_file(File.join(BENCHMARKS, "#{name}.yml"))
  body = description["benchmark"]
  body = body.values.first if body.is_a?(Hash)
  body = body.first["script"] if body.is_a?(Array)
  "#{description["prelude"]}\ni = 0\nwhile i < #{count}\ni += 1\n#{body}\nend\n"
end

def cpu_time(ruby, *arguments)
  before = Process.times
  _, status = Open3.capture2e(ruby, "-W0", *arguments)
  raise "#{ruby} #{arguments.first(2)} failed" unless status.success?
  after = Process.times
  after.cutime + after.cstime - before.cutime - before.cstime
end

# The shortest times of both, which run in turn.
def compare(*arguments, rounds: ROUNDS)
  times = Array.new(rounds) { [STOCK, OURS].map { |ruby| cpu_time(ruby, *arguments) } }
  times.transpose.map(&:min)
end

def instructions(ruby, file)
  Dir.mktmpdir do |folder|
    out = File.join(folder, "callgrind")
    text, status = Open3.capture2e("valgrind", "--tool=callgrind", "--callgrind-out-file=#{out}",
                                   ruby, "-W0", "--disable-gems", file)
    raise text unless status.success?
    text[/Collected : (\d+)/, 1].to_i
  end
end

def median(numbers)
  sorted = numbers.sort
  (sorted[(sorted.size - 1) / 2] + sorted[sorted.size / 2]) / 2.0
end

def row(id, ours, stock, unit, target = nil)
  ratio = ours.fdiv(stock)
  met = target && ratio <= target
  puts format("%-34s %14.4g %14.4g %-10s %7.3f  %s", id, ours, stock, unit, ratio,
              target ? "<= #{target} #{met ? "yes" : "NO"}" : "")
  RESULTS << { id: id, ours: ours, unit: unit, beside: { stock: stock }, ratio: ratio, target: target,
               met: met }
  ratio
end

require "tmpdir"
RESULTS = []
puts format("%-34s %14s %14s %-10s %7s", "", "ours", "stock", "", "ratio")

Dir.mktmpdir do |folder|
  ratios = PROGRAMS.map do |name, count|
    file = File.join(folder, "#{name}.rb")
    File.write(file, source(name, count))
    ours, stock = compare(file).reverse
    row("cruby/#{name}", ours, stock, "s")
  end
  ours, stock = compare("-e", "0", rounds: 3 * ROUNDS).reverse
  ratios << row("cruby/start", ours, stock, "s")
  row("cruby/median", median(ratios), 1.0, "", 1.01)
  COUNTED.each do |name, count|
    file = File.join(folder, "#{name}.rb")
    File.write(file, source(name, count))
    row("cruby/instructions/#{name}", instructions(OURS, file), instructions(STOCK, file), "")
  end
end

# Ractor.make_shareable, by the object.
shares = [STOCK, OURS].map do |ruby|
  Array.new(3) { JSON.parse(Open3.capture2e(ruby, "-W0", File.join(HERE, "test/share.rb"))[0]) }
end
shares[0][0].each_key do |shape|
  stock, ours = shares.map { |runs| runs.map { |run| run[shape] }.min }
  row("cruby/make_shareable/#{shape}", ours, stock, "ns/object", 0.2)
end

File.write("target/cruby/bench.json", JSON.pretty_generate(RESULTS))
targets = RESULTS.select { |result| result[:target] }
puts "#{targets.count { |result| result[:met] }} of #{targets.size} targets met"
