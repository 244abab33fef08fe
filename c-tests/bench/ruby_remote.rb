# What CRuby has for working on another process's objects, and for copying graphs.
#
#     ruby ruby_remote.rb drb ROUNDS
#     ruby ruby_remote.rb marshal OBJECTS ROUNDS
#
# The first reads elements of an array of another process, by DRb over a Unix socket. The second dumps and
# loads a graph of about OBJECTS objects.

require "json"

ELEMENTS = 1000
CALLS = 1000

def nanoseconds
  Process.clock_gettime(Process::CLOCK_MONOTONIC, :nanosecond)
end

def print_figure(name, unit, samples)
  puts JSON.generate("figure" => name, "unit" => unit, "ours" => samples, "beside" => {})
end

def read_all(remote)
  CALLS.times { |index| raise "the wrong element" unless remote[index] == index }
end

# Runs the block while another process serves an array at an address.
def with_owner
  Dir.mktmpdir do |folder|
    address = "drbunix:#{folder}/socket"
    ready, told = IO.pipe
    owner = fork do
      DRb.start_service(address, Array.new(ELEMENTS) { |index| index })
      told.close
      ready.close
      DRb.thread.join
    end
    told.close
    ready.read
    yield DRbObject.new_with_uri(address)
  ensure
    Process.kill(:KILL, owner)
    Process.wait(owner)
  end
end

def drb(rounds)
  require "drb"
  require "drb/unix"
  require "tmpdir"
  with_owner do |remote|
    read_all(remote) # the first time it connects
    samples = Array.new(rounds) do
      begun = nanoseconds
      read_all(remote)
      (nanoseconds - begun) / CALLS.to_f
    end
    print_figure("DRb", "ns", samples)
  end
end

# The graph of remote_host.c, but for its conses: they are arrays of two, and the outermost list is one
# array, since Marshal recurses. Returns the graph, and how many objects it has.
def graph(objects)
  shared = [1, nil]
  top = []
  count = 2
  while count < objects
    vector = Array.new(10)
    6.times { |index| vector[index] = [count, vector] }
    (6..8).each { |index| vector[index] = "x".b * 20 }
    vector[9] = shared
    top << vector
    count += 10
  end
  [top, count]
end

# Without a collector, which would look at all of it again and again while it grows.
def marshal(objects, rounds)
  top, count = graph(objects)
  samples = Array.new(rounds) do
    GC.start
    GC.disable
    begun = nanoseconds
    copy = Marshal.load(Marshal.dump(top))
    spent = nanoseconds - begun
    raise "another graph" unless copy[-1][0][1].equal?(copy[-1]) && !copy[-1][6].equal?(copy[-1][7])
    GC.enable
    spent / count.to_f
  end
  print_figure("Ruby Marshal", "ns/object", samples)
end

case ARGV.shift
when "drb" then drb(*ARGV.map(&:to_i))
when "marshal" then marshal(*ARGV.map(&:to_i))
else abort "usage: ruby_remote.rb drb ROUNDS | marshal OBJECTS ROUNDS"
end
