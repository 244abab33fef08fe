; What a child has dropped, its parent need not keep, and the other way round.
(define count (if (gc-stress?) 20 200))
(define places (make-vector count))
(dotimes (i count) (vector-set! places i (list i)))
(define kept nil)
(define (keep one other) (set! kept (list one other)) nil)
(define (drop) (set! kept nil) (gc))
(define (pins) (cdr (car (link-counts child))))
(define (remotes) (cdr (nth 1 (link-counts child))))
(define child
  (spawn-child
    '(begin
       (define (drop-and-tell)
         (gc)
         ; This message says what was dropped; the next one is answered accordingly.
         (parent-call 'pins)
         (parent-call 'pins))
       (define (read-all places)
         (let ((own (make-vector (vector-length places))))
           (dotimes (i (vector-length own)) (vector-set! own i (vector-ref places i)))
           (parent-call 'pins)))
       (define before (drop-and-tell))
       (define most (read-all (remote 'places)))
       (assert (or (gc-stress?) (< 200 most)))
       (assert-equal before (drop-and-tell))
       ; The same references once more.
       (read-all (remote 'places))
       (assert-equal before (drop-and-tell))

       ; Of this process's objects, by the parent.
       (parent-call 'keep (list 1) (list 2))
       (assert-equal 2 (parent-call 'remotes))
       (assert-equal 2 (cdr (car (link-counts (parent)))))
       (parent-call 'drop)
       (assert-equal 0 (parent-call 'remotes))
       (parent-call 'remotes)
       (assert-equal 0 (cdr (car (link-counts (parent))))))))
(for-each export-variable '(places pins remotes keep drop))
(assert-equal 0 (wait-child child))
(assert-equal 0 (pins))
(assert-equal 0 (remotes))
