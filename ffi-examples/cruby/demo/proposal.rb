A = [1, [2, [3, 4]]]
H = {a: "a"}
Ractor.new do
  p A #A is not actually modified anywhere, so ok
end.take
H[:b] = "b" #H was never touched by ractor, so ok
