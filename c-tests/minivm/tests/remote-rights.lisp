; A child may do to its parent's objects what it was given to do, and no more.
(define secret (list 'secret))
(define readable [1 [2]])
(define writable [1])
(define (callable) (list 'result))
(define child
  (spawn-child
    '(begin
       (assert-error 'denied (remote 'secret))
       (assert-error 'denied (remote 'no-such-variable))
       (assert-error 'denied (parent-call 'exit))
       (assert-error 'denied (set-remote! 'readable 1))
       (define readable (remote 'readable))
       (assert-equal 1 (vector-ref readable 0))
       (assert-error 'denied (vector-set! readable 0 2))
       (assert-error 'denied (vector-set! (vector-ref readable 1) 0 3))
       (assert-equal [1 [2]] (copy readable))
       (assert-error 'denied (remote 'writable))
       (assert-error 'denied (set-remote! 'writable 1))
       (assert-error 'denied (remote 'callable))
       (assert (parent-call 'callable))
       (assert-error 'denied (car (parent-call 'callable)))
       ; A name that was taken back.
       (parent-call 'take-back)
       (assert-error 'denied (remote 'readable))
       (assert-equal 1 (vector-ref readable 0)))))
(define (take-back) (withdraw 'readable))
(export 'readable readable '(read))
(export 'writable writable '(write))
(export 'callable callable '(call))
(export-variable 'take-back '(call))
(assert-equal 0 (wait-child child))
(assert-equal [1 [2]] readable)

; To an open child all that has a name is open.
(define count 1)
(defconst CONSTANT 2)
(define trusted
  (spawn-child
    '(begin
       (assert-equal 1 (remote 'count))
       (assert-equal 5 (set-remote! 'count 5))
       (assert-equal 5 (remote 'count))
       (assert-error 'constant-error (set-remote! 'CONSTANT 3))
       (assert-error 'name-error (remote 'no-such-variable))
       (assert-equal 'secret (car (remote 'secret)))
       (assert-equal 6 (parent-call '+ 1 5)))
    :open))
(assert-equal 0 (wait-child trusted))
(assert-equal 5 count)

; What is no right.
(assert-error 'type-error (export 'count count '(rule)))
(assert-error 'type-error (spawn-child 1 :fast))
(assert-error 'process-error (remote 'count))
