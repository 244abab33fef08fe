# CRuby's Ractor.make_shareable, and the read of a constant that is refused each time anew.
#
#     ruby ruby_share.rb share DEPTH WIDTH ROUNDS
#     ruby ruby_share.rb refuse OBJECTS ROUNDS
#
# The first shares a tree of arrays, WIDTH to each but those at DEPTH, which are empty. In the second a
# constant holds OBJECTS frozen arrays and one that is not, and a ractor reads it repeatedly.

require "json"

Warning[:experimental] = false

def build(depth, width)
  depth.zero? ? [] : Array.new(width) { build(depth - 1, width) }
end

def nanoseconds
  Process.clock_gettime(Process::CLOCK_MONOTONIC, :nanosecond)
end

def print_figure(name, unit, samples)
  puts JSON.generate("figure" => name, "unit" => unit, "ours" => samples, "beside" => {})
end

def share(depth, width, rounds)
  objects = (0..depth).sum { |level| width**level }
  GC.disable
  samples = Array.new(rounds) do
    graph = build(depth, width)
    begun = nanoseconds
    Ractor.make_shareable(graph)
    (nanoseconds - begun) / objects.to_f
  end
  print_figure("share", "ns/object", samples)
end

def refuse(objects, rounds)
  Object.const_set(:REFUSED, Array.new(objects) { [].freeze }.push([]).freeze)
  reader = Ractor.new(rounds) do |times|
    Array.new(times) do
      begun = Process.clock_gettime(Process::CLOCK_MONOTONIC, :nanosecond)
      begin
        REFUSED
        raise "not refused"
      rescue Ractor::IsolationError
        nil
      end
      Process.clock_gettime(Process::CLOCK_MONOTONIC, :nanosecond) - begun
    end
  end
  print_figure("refused again", "ns", reader.take)
end

case ARGV.shift
when "share" then share(*ARGV.map(&:to_i))
when "refuse" then refuse(*ARGV.map(&:to_i))
else abort "usage: ruby_share.rb share|refuse …"
end
