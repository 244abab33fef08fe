; An assignment forgets the write: a new chance for the same object.
(take (ractor nil))
(defconst LIST [1])
(vector-push! LIST 2)
(assert-error 'isolation-error (take (ractor LIST)))
(assert-equal 'B (state LIST))
(defconst LIST LIST)
(assert-equal 'A (state LIST))
(assert-equal [1 2] (take (ractor LIST)))
